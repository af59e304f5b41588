"""Bodies that endpoints read themselves: FastAPI does not see them, and must be told."""

from typing import Any, Final

from pydantic import BaseModel

REFERENCE: Final = "#/components/schemas/{model}"


class Taken(dict[str, Any]):
    """What a route says of its body: the description, and the model that it stands for."""

    def __init__(self, model: type[BaseModel]) -> None:
        schema = {"$ref": REFERENCE.format(model=model.__name__)}
        content = {"application/json": {"schema": schema}}
        super().__init__(requestBody={"required": True, "content": content})
        self.model = model


def takes(model: type[BaseModel]) -> Taken:
    """Describe a JSON body that the endpoint reads itself: a route's `openapi_extra`."""
    return Taken(model)
