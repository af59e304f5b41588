"""How columns and tables are declared, alike for all of them."""

from typing import Any

from sqlalchemy import JSON, Column, MetaData

metadata = MetaData(
    # Alembic can only drop on SQLite what has a name.
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def small_json() -> JSON:
    """Return the type of a column that holds a small value, or NULL."""
    return JSON(none_as_null=True)


def column(name: str, kind: Any, *rest: Any, **options: Any) -> Column[Any]:  # noqa: ANN401
    """Return a column that always holds a value."""
    return Column(name, kind, *rest, nullable=False, **options)
