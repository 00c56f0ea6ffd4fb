"""Writes the migrations for a cluster: the same schema, replicated, and spread over shards by trace id.

Equal ids meet on one shard, so that each shard tells its own attempts from their duplicates. Readers need
`distributed_product_mode = 'global'`. ClickHouse's own parser takes the statements; nobody has run them, no cluster
was at hand. A refresh drops parts of arrivals by name, shard by shard: it is not written for a cluster yet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from farebox_ledger._migrate import Migration

__all__ = ["for_cluster"]

# What every shard needs whole: dictionaries load it, and people decide it.
EVERYWHERE = frozenset(
    {
        "annotations",
        "bill_checks",
        "bill_findings",
        "bill_imports",
        "bills",
        "budgets",
        "commitments",
        "foreign_decided",
        "migrations",
        "price_aliases",
        "price_discounts",
        "price_fallbacks",
        "prices",
        "route_settings",
    }
)
# Rows of one trace lie on one shard; of the rest, those of one key. Rows that a view fills lie where their source lies.
KEYS = {
    "task_hours": "task_key",
    "spanning_tasks": "task_key",
    "spanning_calls": "task_key",
    "task_outcomes": "task_key",
}
TABLE = re.compile(r"CREATE TABLE IF NOT EXISTS (\w+)")
VIEW = re.compile(r"CREATE (?:OR REPLACE )?(?:MATERIALIZED VIEW|VIEW|DICTIONARY)(?: IF NOT EXISTS)? (\w+)")
QUERY = re.compile(r"ALTER TABLE (\w+)(?=\s+MODIFY QUERY)")
ALTER = re.compile(r"ALTER TABLE (\w+)")
DROP = re.compile(r"DROP TABLE IF EXISTS (\w+)")
INSERT = re.compile(r"INSERT INTO \w+")
ENGINE = re.compile(r"^ENGINE = (\w*MergeTree)(?:\(([^)]*)\))?", re.MULTILINE)


def for_cluster(migrations: Iterable[Migration], cluster: str) -> list[str]:
    """Give the statements that make the schema on a cluster, in order; a sharded table takes two.

    Raises:
        ValueError: a migration makes neither table, view nor dictionary, and alters and drops none.
    """
    # What a statement puts into tables is for ledgers that are older than it; a new cluster is empty.
    migrations = [each for each in migrations if not INSERT.search(each.sql)]
    sharded = {name for each in migrations for name in TABLE.findall(each.sql) if name not in EVERYWHERE}
    statements: list[str] = []
    for each in migrations:
        table, view = TABLE.search(each.sql), VIEW.search(each.sql) or QUERY.search(each.sql)
        if table is not None:
            statements += _table(each.sql, table.group(1), cluster)
        elif view is not None:
            statements.append(_view(each.sql, view, cluster, sharded))
        elif altered := ALTER.search(each.sql):
            statements += _alter(each.sql, altered, cluster)
        elif dropped := DROP.search(each.sql):
            statements += _alter(each.sql, dropped, cluster)
        else:
            raise ValueError(f"migrations/{each.name} is of no kind that is known here")
    return statements


def _table(sql: str, name: str, cluster: str) -> list[str]:
    everywhere = name in EVERYWHERE
    local = name if everywhere else f"{name}_local"
    path = "/clickhouse/tables/{}/{{database}}/{{table}}".format("all" if everywhere else "{shard}")
    replica = "{shard}-{replica}" if everywhere else "{replica}"
    made = TABLE.sub(f"CREATE TABLE IF NOT EXISTS {local} ON CLUSTER '{cluster}'", sql, count=1)
    made = ENGINE.sub(lambda engine: _replicated(engine, path, replica), made)
    made = made.replace("non_replicated_deduplication_window", "replicated_deduplication_window")
    if everywhere:
        return [made]
    columns = set(re.findall(r"^    (\w+) ", sql, re.MULTILINE))
    key = "TraceId" if "TraceId" in columns else KEYS.get(name, "trace_id" if "trace_id" in columns else "")
    sharding = f"cityHash64({key})" if key else "rand()"
    return [
        made,
        f"CREATE TABLE IF NOT EXISTS {name} ON CLUSTER '{cluster}' AS {local}\n"
        f"ENGINE = Distributed('{cluster}', currentDatabase(), {local}, {sharding})",
    ]


def _replicated(engine: re.Match[str], path: str, replica: str) -> str:
    arguments = ", ".join(filter(None, (f"'{path}'", f"'{replica}'", engine.group(2))))
    return f"ENGINE = Replicated{engine.group(1)}({arguments})"


def _alter(sql: str, altered: re.Match[str], cluster: str) -> list[str]:
    name, verb = altered.group(1), altered.group(0).removesuffix(altered.group(1))
    parts = (name,) if name in EVERYWHERE else (f"{name}_local", name)
    return [altered.re.sub(f"{verb}{part} ON CLUSTER '{cluster}'", sql, count=1) for part in parts]


def _view(sql: str, view: re.Match[str], cluster: str, sharded: set[str]) -> str:
    made = sql[: view.end()] + f" ON CLUSTER '{cluster}'" + sql[view.end() :]
    if view.re is VIEW and "MATERIALIZED VIEW" not in view.group(0):
        return made
    # A materialized view stays on its shard: from the local part of its source into that of its target.
    tables = "|".join(sorted(sharded, key=len, reverse=True))
    return re.sub(rf"\b(TO|FROM|JOIN) ({tables})\b", r"\1 \2_local", made)
