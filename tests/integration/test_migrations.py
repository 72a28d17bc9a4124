"""The migrations make the tables that the models describe, on every database."""

import pytest
from playhouse.migrations import Runner

from app import clock
from app.config import Config
from app.models.base import Row, connect, database
from app.models.keys import ApiKey
from app.models.schema import MIGRATIONS, pending, upgrade


@pytest.fixture
def migrated_database(fresh_database: str) -> str:
    """Here nothing is migrated before the test."""
    return fresh_database


def tables() -> list[type[Row]]:
    """Every class that is a table, and no base of others."""
    classes = [Row]
    for kind in classes:
        classes += kind.__subclasses__()
    return [kind for kind in classes if not kind.__subclasses__() and kind.__module__.startswith("app.")]


def test_the_tables_that_are_made_have_the_columns_and_unique_keys_of_the_models(house: Config) -> None:
    assert len(tables()) > 10
    for kind in tables():
        name = kind._meta.table_name
        columns = {column.name: column.null for column in database.get_columns(name)}
        wanted = {
            field.column_name: field.null and not field.primary_key for field in kind._meta.sorted_fields
        }
        assert columns.keys() == wanted.keys(), name
        unique = {tuple(index.columns) for index in database.get_indexes(name) if index.unique}
        for fields, is_unique in kind._meta.indexes:
            columns_of = tuple(kind._meta.combined[field].column_name for field in fields)
            assert not is_unique or columns_of in unique, (name, columns_of)


def test_an_upgrade_of_a_database_with_data_keeps_the_data(settings: Config) -> None:
    connect(settings.database())
    Runner(database.obj, str(MIGRATIONS)).up("0001_initial")
    made = f"{clock.now():%Y-%m-%d %H:%M:%S}"
    database.execute_sql(
        "INSERT INTO api_key (prefix, digest, owner, role, created_at) "
        f"VALUES ('1a2b3c4d', '{'0' * 64}', 'ada', 'user', '{made}')"
    )

    applied = upgrade(settings)

    assert len(applied) >= 1
    assert pending() == []
    assert ApiKey.get().owner == "ada"
    assert upgrade(settings) == []
    database.close()
