import base64
import re
from decimal import Decimal
from typing import Any

import pytest
from dynamodb_opensearch.core.documents import encode_document
from dynamodb_opensearch.core.errors import ConfigurationError, UndecodableError
from dynamodb_opensearch.core.keys import KeySchema
from hypothesis import assume, example, given
from hypothesis import strategies as st

from unit.strategies import numbers

LONE = KeySchema(("pk",))
PAIR = KeySchema(("pk", "sk"))
AWKWARD = st.text("|\\~a0", min_size=1, max_size=6)


def string(text: str) -> dict[str, str]:
    return {"S": text}


def test_a_lone_key_is_its_own_text() -> None:
    assert LONE.id_of({"pk": string("a|b\\c"), "other": string("x")}) == "a|b\\c"


def test_two_keys_are_joined_in_the_schemas_order() -> None:
    assert PAIR.id_of({"sk": string("2"), "pk": string("1")}) == "1|2"


@given(AWKWARD, AWKWARD, AWKWARD, AWKWARD)
@example("a|b", "c", "a", "b|c")
@example("a\\", "|b", "a\\|", "b")
def test_different_pairs_have_different_ids(pk: str, sk: str, other_pk: str, other_sk: str) -> None:
    assume((pk, sk) != (other_pk, other_sk))

    assert PAIR.id_of({"pk": string(pk), "sk": string(sk)}) != PAIR.id_of(
        {"pk": string(other_pk), "sk": string(other_sk)}
    )


@given(st.text("é|a", min_size=1, max_size=30), st.text(max_size=2))
def test_an_id_never_exceeds_512_bytes_and_stays_distinct(unit: str, tail: str) -> None:
    long, longer = unit * 600 + "x" + tail, unit * 600 + "y" + tail

    one, other = LONE.id_of({"pk": string(long)}), LONE.id_of({"pk": string(longer)})

    assert one != other
    assert len(one.encode()) <= 512
    assert re.search(r"~[0-9a-f]{64}\Z", one)
    assert one.startswith(unit)


def test_512_bytes_are_kept_and_513_are_hashed() -> None:
    assert LONE.id_of({"pk": string("é" * 256)}) == "é" * 256
    assert len(LONE.id_of({"pk": string("é" * 256 + "x")}).encode()) <= 512


def test_a_key_that_equals_a_long_keys_id_gets_another_id() -> None:
    id_of_long = LONE.id_of({"pk": string("k" * 2000)})

    assert LONE.id_of({"pk": string(id_of_long)}) != id_of_long


@given(numbers(), numbers())
def test_numbers_share_an_id_exactly_if_they_are_equal(one: str, other: str) -> None:
    ids = {LONE.id_of({"pk": {"N": one}}), LONE.id_of({"pk": {"N": other}})}

    assert (len(ids) == 1) == (Decimal(one) == Decimal(other))


@given(st.binary(min_size=1, max_size=60))
def test_a_binary_key_is_base64url_in_either_shape(data: bytes) -> None:
    event = LONE.id_of({"pk": {"B": base64.b64encode(data).decode()}})

    assert event == LONE.id_of({"pk": {"B": data}})
    assert base64.urlsafe_b64decode(event + "=" * (-len(event) % 4)) == data


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"pk": {}},
        {"pk": {"S": ""}},
        {"pk": {"S": 5}},
        {"pk": {"BOOL": True}},
        {"pk": {"N": "x"}},
        {"pk": {"B": "?"}},
        None,
    ],
)
def test_what_cannot_be_a_key_is_undecodable(keys: Any) -> None:
    with pytest.raises(UndecodableError):
        LONE.id_of(keys)


def test_keys_of_another_table_are_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match=r"TABLE_KEYS is 'pk'.*productId"):
        LONE.check({"productId": string("1")})


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("pk", ("pk",)),
        ("pk,sk", ("pk", "sk")),
        ('["a,b"]', ("a,b",)),
        ('["a,b","c"]', ("a,b", "c")),
        ('["[\\"a\\"]"]', ('["a"]',)),
        ("[a]", ("[a]",)),
        ("[a,b]", ("[a", "b]")),
        ('["\\",","é"]', ('",', "é")),
        ("1", ("1",)),
    ],
)
def test_key_names_are_spelt_and_read_back(text: str, names: tuple[str, ...]) -> None:
    assert KeySchema.parse(text).names == names
    assert KeySchema(names).spell() == text


@given(names=st.lists(st.text(min_size=1), min_size=1, max_size=2))
def test_any_key_names_can_be_spelt(names: list[str]) -> None:
    assert KeySchema.parse(KeySchema(tuple(names)).spell()).names == tuple(names)


@pytest.mark.parametrize("text", [",", "a,", "a,b,c", '["a","b","c"]', '["a",""]'])
def test_what_spells_no_keys_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        KeySchema.parse(text)


def test_key_attributes_stay_in_the_document() -> None:
    assert encode_document({"pk": string("1")}) == b'{"pk":"1"}'


@pytest.mark.parametrize("name", ["_id", "__soft_deletes", "_tombstone", "_", "_class"])
def test_a_name_that_begins_with_an_underscore_is_escaped_at_the_top_and_kept_below(name: str) -> None:
    document = encode_document({name: {"M": {name: string("x")}}})

    assert document == f'{{"~{name}":{{"{name}":"x"}}}}'.encode()


@pytest.mark.parametrize(
    "text", ["9" * 39, "1" + "0" * 126, "0." + "0" * 130 + "1", "1.0", "01", "-0", "1e3", "x", "", "1" * 500, "NaN"]
)
def test_a_text_that_is_not_a_number_in_dynamodb_is_not_an_id(text: str) -> None:
    assert KeySchema(("pk",)).keys_of_id(text, {"pk": "N"}) is None


@pytest.mark.parametrize("text", ["0", "-1", "9" * 38, "1" + "0" * 125, "0." + "0" * 129 + "1", "-0.5"])
def test_a_number_of_dynamodbs_is_found_again(text: str) -> None:
    assert KeySchema(("pk",)).keys_of_id(text, {"pk": "N"}) == {"pk": {"N": text}}


def test_a_path_below_an_underscore_is_one_name() -> None:
    assert encode_document({"_a.b": string("x"), "a._b": string("y")}) == b'{"~_a~1b":"x","a._b":"y"}'
