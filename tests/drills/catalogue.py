"""Lists all drills, in their order of appearance."""

from collections.abc import Mapping

from drills import (
    bad_deploy,
    expired_stream,
    flood_stage,
    mapping_conflict,
    opensearch_down,
    poison_document,
    restored_table,
    revoked_credentials,
    throttling,
    two_consumers,
)
from drills.drill import Drill

DRILLS: Mapping[str, Drill] = {
    module.DRILL.name: module.DRILL
    for module in (
        poison_document,
        opensearch_down,
        flood_stage,
        throttling,
        expired_stream,
        revoked_credentials,
        mapping_conflict,
        restored_table,
        two_consumers,
        bad_deploy,
    )
}
