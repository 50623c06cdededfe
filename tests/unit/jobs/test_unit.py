"""Units: what is planned is what is read back, however it travels, and what isn't one is refused."""

import json
import pickle
from typing import Any

import pytest
from dynamodb_opensearch.jobs.unit import ExportFile, Segment, ShardPart, Unit, Whole, read_unit, to_json
from hypothesis import given
from hypothesis import strategies as st

numbers = st.integers(0, 2**53)
texts = st.text(min_size=1)
UNITS = st.one_of(
    st.builds(Segment, numbers, numbers, st.sampled_from(["", "0123456789ab"])),
    st.builds(ShardPart, texts, numbers, numbers, texts, st.none() | numbers),
    st.builds(ExportFile, texts, texts, numbers),
    st.builds(Whole, texts),
)


@given(UNITS)
def test_a_unit_survives_json_and_a_process_boundary(unit: Unit) -> None:
    assert read_unit(json.loads(json.dumps(to_json(unit)))) == unit
    assert pickle.loads(pickle.dumps(unit)) == unit  # noqa: S301 (our own)
    assert len({unit, read_unit(to_json(unit))}) == 1


def test_a_unit_is_named_for_people() -> None:
    assert str(Segment(3, 100, "digest")) == "segment 3 of 100"
    assert str(ShardPart("products", 0, 0, "digest")) == "shard 0 of products from 0"
    assert str(ShardPart("products", 1, 5, "digest", 9)) == "shard 1 of products from 5 to 9"
    assert str(ExportFile("s3://b/p", "data/1.json.gz", 5)) == "data/1.json.gz of s3://b/p"
    assert str(Whole("messages")) == "messages"


def test_what_is_empty_takes_no_room_in_a_plan() -> None:
    assert to_json(Segment(3, 100)) == {"kind": "segment", "number": 3, "total": 100}


@pytest.mark.parametrize(
    "value",
    ["segment 3 of 100", None, 3, [], {}, {"kind": "page"}, {"kind": "segment", "number": 3}, {"kind": ["segment"]}],
)
def test_what_isnt_a_unit_of_this_version_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="isn't a unit of this version"):
        read_unit(value)
