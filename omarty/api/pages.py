"""The schema as a file: JSON, or YAML where that is asked for."""

from typing import Any

from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.views import SpectacularAPIView
from rest_framework.negotiation import BaseContentNegotiation


class JSONUnlessAskedOtherwise(BaseContentNegotiation):
    """What `?format=` or `Accept` asks for; JSON where nobody can serve that."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        return None

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        wanted = request.query_params.get("format", "").lower()
        serving = [each for each in renderers if each.format == wanted] or renderers
        preferred = request._request.get_preferred_type([each.media_type for each in serving])
        found = next((each for each in serving if each.media_type == preferred), serving[0])
        return found, found.media_type


class TextYamlRenderer(OpenApiYamlRenderer):
    """YAML by the name that it had before application/yaml."""

    media_type = "text/yaml"


class OlderYamlRenderer(OpenApiYamlRenderer):
    """YAML by the name that many tools still have for it."""

    media_type = "application/x-yaml"


class SchemaView(SpectacularAPIView):
    """`/omartyapis/schema/`."""

    content_negotiation_class = JSONUnlessAskedOtherwise
    renderer_classes = [  # noqa: RUF012
        OpenApiJsonRenderer,
        OpenApiJsonRenderer2,
        OpenApiYamlRenderer,
        OpenApiYamlRenderer2,
        TextYamlRenderer,
        OlderYamlRenderer,
    ]
