"use strict";

// A plugin of the API pages (Swagger UI). By itself, the page forgets the body when another content type is
// chosen, shows the fields all the same, and sends nothing. With it, what was typed stays, in the new type's form.
const keepFieldsAcrossTypes = ({ Im }) => {
  const JSON_TYPE = "application/json";
  const NUMBERS = ["integer", "number"];

  const typed = (value, type) =>
    NUMBERS.includes(type) && String(Number(value)) === value ? Number(value) : value;

  // The fields of a form, each { value, errors }, as JSON.
  const asJson = (fields, properties) => {
    const found = {};
    for (const [name, property] of properties) {
      const value = fields.getIn([name, "value"]);
      if (value !== undefined) {
        found[name] = typed(value, property.get("type"));
      }
    }
    return JSON.stringify(found, null, 2);
  };

  const asText = (value) => {
    if (value === undefined || value === null) {
      return "";
    }
    return typeof value === "object" ? JSON.stringify(value) : String(value);
  };

  // Without a readable object the form begins anew, with the examples.
  const asForm = (json, properties) => {
    let found;
    try {
      found = JSON.parse(json);
    } catch {
      return undefined;
    }
    if (typeof found !== "object" || found === null || Array.isArray(found)) {
      return undefined;
    }
    return properties.map((_, name) => asText(found[name])).toMap();
  };

  const setRequestContentType = (original, system) => (chosen) => {
    const { value: type, pathMethod } = chosen;
    // A field gives its value on when it is left, or a moment after the last key.
    document.activeElement?.blur();
    const body = system.oas3Selectors.requestBodyValue(...pathMethod);
    const result = original(chosen);
    const properties = system.specSelectors.specResolvedSubtree([
      "paths", ...pathMethod, "requestBody", "content", type, "schema", "properties",
    ]) || Im.OrderedMap();
    if (type === JSON_TYPE && Im.Map.isMap(body)) {
      system.oas3Actions.setRequestBodyValue({ value: asJson(body, properties), pathMethod });
    } else if (type !== JSON_TYPE && typeof body === "string") {
      system.oas3Actions.setRequestBodyValue({ value: asForm(body, properties), pathMethod });
    }
    return result;
  };

  return {
    statePlugins: {
      oas3: {
        wrapActions: { setRequestContentType },
        wrapSelectors: { shouldRetainRequestBodyValue: () => () => true },
      },
    },
  };
};
