"""Benchmarks that ask for the least of everything, on the run's PostgreSQL."""

import pytest

from bench.asked import Asked
from tests.postgres import Postgres


@pytest.fixture(scope="session")
def asked(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Asked:
    return Asked(
        folder=tmp_path_factory.mktemp("bench"),
        seconds=0.2,
        warm=0.1,
        repetitions=1,
        size=0.002,
        rates=(50,),
        sustained=(20,),
        connections=(4,),
        processes=2,
        running=postgres,
        smoke=True,
    )
