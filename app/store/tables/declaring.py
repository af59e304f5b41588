"""How columns and tables are declared, alike for all of them."""

from typing import Any

from sqlalchemy import JSON, Column, Index, MetaData, TextClause, text

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


def partial(name: str, where: str, *columns: str | TextClause, unique: bool = False) -> Index:
    """Return an index of those rows alone that a condition holds for.

    A statement uses it that says the condition in the same words, as a literal.
    """
    condition = text(where)
    return Index(name, *columns, unique=unique, postgresql_where=condition, sqlite_where=condition)
