// Shows the document that this gateway serves. Nothing is asked of another host (`validatorUrl`),
// and a key that is typed in is forgotten with the page (`persistAuthorization`).
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  filter: true,
  persistAuthorization: false,
  validatorUrl: null,
  withCredentials: false,
});
