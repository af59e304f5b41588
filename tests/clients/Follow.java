import client.ApiClient;
import client.ApiException;
import client.ApiResponse;
import client.api.FollowApi;
import client.api.SendApi;
import client.model.MessageOut;
import client.model.Problem;
import client.model.SmsIn;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.LinkedHashMap;
import java.util.Map;

/** Sends a text message by the generated Java client, follows it, and reads a problem. */
class Follow {
  public static void main(String[] given) throws Exception {
    ApiClient api = new ApiClient();
    api.updateBaseUri(given[0]);
    api.setRequestInterceptor(request -> request.header("Authorization", "Bearer " + given[1]));
    SendApi send = new SendApi(api);
    FollowApi follow = new FollowApi(api);
    ObjectMapper json = api.getObjectMapper();
    Map<String, Object> told = new LinkedHashMap<>();

    SmsIn body = new SmsIn().to(given[2]).text("Votre code : 1234").reference("java");
    ApiResponse<MessageOut> first = send.sendSmsWithHttpInfo(body, "java-1", null);
    ApiResponse<MessageOut> again = send.sendSmsWithHttpInfo(body, "java-1", null);
    MessageOut message = first.getData();
    long until = System.currentTimeMillis() + 40_000;
    while (!message.getStatusIsFinal() && System.currentTimeMillis() < until) {
      Thread.sleep(200);
      message = follow.getMessage(message.getId(), null);
    }
    told.put("accepted", first.getStatusCode());
    told.put("id", first.getData().getId());
    told.put("repeated", again.getData().getId());
    told.put("replayed", again.getHeaders().get("idempotency-replayed").get(0));
    told.put("status", message.getStatus().getValue());
    told.put("events", follow.listEvents(message.getId(), null).getData().stream().map(one -> one.getType()).toList());
    try {
      send.sendSms(new SmsIn().to("12").text("Bonjour"), "java-2", null);
    } catch (ApiException refused) {
      Problem problem = json.readValue(refused.getResponseBody(), Problem.class);
      told.put("refused", refused.getCode());
      told.put("code", problem.getCode());
      told.put("pointers", problem.getErrors().stream().map(one -> one.getPointer()).toList());
    }
    System.out.println(json.writeValueAsString(told));
  }
}
