"""Bodies that name some fields of a struct; a field that is absent is UNSET."""

from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Any, TypeVar, get_args, get_origin

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import FieldInfo, fields

Body = TypeVar("Body", bound=msgspec.Struct)


def partial(
    kind: type[msgspec.Struct], *, without: Collection[str] = (), replaced: Mapping[Any, Any] | None = None
) -> Callable[[type[Body]], type[Body]]:
    """Give a body the fields of `kind`, each optional, with their bounds, descriptions and examples.

    A field that the body declares itself stays as declared. `without`: fields that a body may not name. `replaced`:
    types of `kind`, with the types that replace them in the body. Required fields come first, then the fields in the
    order of `kind`, then the other ones of the body. Type checkers see the fields that the body declares, not those
    added here.
    """

    def extend(body: type[Body]) -> type[Body]:
        own = {field.name: _declared(field) for field in fields(body)}
        taken = {
            field.name: (field.name, _replace(field.type, replaced or {}) | UnsetType, UNSET)
            for field in fields(kind)
            if field.name not in without
        }
        first = {field.name: own[field.name] for field in fields(body) if field.required}
        # Merging keeps the place of a name, and takes its last value.
        return msgspec.defstruct(  # type: ignore[return-value]
            body.__name__,
            list(({**first, **taken, **own}).values()),
            bases=body.__bases__,
            module=body.__module__,
            namespace=_written(body),
        )

    return extend


def _declared(field: FieldInfo) -> tuple[str, Any] | tuple[str, Any, Any]:
    if field.required:
        return field.name, field.type
    default = field.default
    if field.default_factory is not msgspec.NODEFAULT:
        default = msgspec.field(default_factory=field.default_factory)
    return field.name, field.type, default


def _replace(kind: Any, replaced: Mapping[Any, Any]) -> Any:
    if get_origin(kind) is Annotated:
        inner, *metadata = get_args(kind)
        return Annotated[(replaced.get(inner, inner), *metadata)]
    return replaced.get(kind, kind)


def _written(body: type[msgspec.Struct]) -> dict[str, Any]:
    """The docstring and the methods of a class."""
    own = body.__struct_fields__
    return {
        name: value
        for name, value in vars(body).items()
        if name in {"__doc__", "__qualname__"} or not (name.startswith("__") or name in own)
    }
