SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  validatorUrl: null, // asks an outside host otherwise
  requestSnippetsEnabled: true,
  presets: [SwaggerUIBundle.presets.apis],
});
