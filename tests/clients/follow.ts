// Send a text message by openapi-fetch and the generated types, follow it, and read a problem.
import createClient from "openapi-fetch";
import type { components, paths } from "./generated.js";

type Message = components["schemas"]["MessageOut"];
type Problem = components["schemas"]["Problem"];

const [url, key, recipient] = process.argv.slice(2) as [string, string, string];
const client = createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${key}` } });

const body = { to: recipient, text: "Votre code : 1234", reference: "typescript" };
const header = { "Idempotency-Key": "typescript-1" };

const first = await client.POST("/v1/sms", { params: { header }, body });
const again = await client.POST("/v1/sms", { params: { header }, body });
if (first.data === undefined || again.data === undefined) throw new Error("it was not accepted");

let message: Message = first.data;
const until = Date.now() + 40_000;
while (!message.status_is_final && Date.now() < until) {
  await new Promise((resolve) => setTimeout(resolve, 200));
  const path = { message_id: message.id };
  const found = await client.GET("/v1/messages/{message_id}", { params: { path } });
  if (found.data === undefined) throw new Error(`it is not found: ${found.error.code}`);
  message = found.data;
}
const path = { message_id: message.id };
const events = await client.GET("/v1/messages/{message_id}/events", { params: { path } });

const refused = await client.POST("/v1/sms", {
  params: { header: { "Idempotency-Key": "typescript-2" } },
  body: { to: "12", text: "Bonjour" },
});
const problem: Problem | undefined = refused.error;

console.log(
  JSON.stringify({
    accepted: first.response.status,
    id: first.data.id,
    repeated: again.data.id,
    replayed: again.response.headers.get("Idempotency-Replayed"),
    status: message.status,
    events: (events.data?.data ?? []).map((one) => one.type),
    refused: refused.response.status,
    code: problem?.code,
    pointers: (problem?.errors ?? []).map((one) => one.pointer),
  }),
);
