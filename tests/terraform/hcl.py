"""Reads .tf files as blocks, arguments and tokens: as much of HCL as tests need to hold them against rules and schemas.

It evaluates nothing. An expression is its tokens, which can be searched for references.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path


class HclError(Exception):
    """A text isn't HCL as this reader knows it."""


@dataclass(frozen=True, slots=True)
class Token:
    kind: str  # comment, heredoc, string, name, number, newline, or an operator's own text
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Attribute:
    name: str
    tokens: tuple[Token, ...]
    line: int

    @property
    def text(self) -> str:
        return " ".join(token.text for token in self.tokens)


@dataclass(frozen=True, slots=True)
class Block:
    kind: str
    labels: tuple[str, ...]
    line: int
    attributes: list[Attribute] = field(default_factory=list)
    blocks: list["Block"] = field(default_factory=list)

    def get(self, name: str) -> Attribute | None:
        """The argument of this name."""
        return next((one for one in self.attributes if one.name == name), None)

    def value(self, name: str) -> str:
        """The text of an argument that is one string; empty if it isn't given, or is anything else."""
        found = self.get(name)
        return found.tokens[0].text.strip('"') if found and [one.kind for one in found.tokens] == ["string"] else ""

    def all(self, kind: str) -> list["Block"]:
        """The blocks of this kind that are directly in it."""
        return [block for block in self.blocks if block.kind == kind]

    def expressions(self) -> Iterator[Attribute]:
        """All arguments, also those of blocks in blocks."""
        yield from self.attributes
        for block in self.blocks:
            yield from block.expressions()

    def nested(self) -> Iterator["Block"]:
        """All blocks in it, however deep."""
        for block in self.blocks:
            yield block
            yield from block.nested()


_TOKEN = re.compile(
    r"""(?P<space>[ \t\r]+)
    |(?P<newline>\n)
    |(?P<comment>\#[^\n]*|//[^\n]*|/\*.*?\*/)
    |(?P<heredoc><<-?(?P<tag>\w+)\n.*?\n[ \t]*(?P=tag)(?=\n))
    |(?P<name>[^\W\d][\w-]*)
    |(?P<number>\d+(?:\.\d+)?)
    |(?P<operator>=>|==|!=|<=|>=|&&|\|\||\.\.\.|[-+*/%<>!?:=.,()\[\]{}])""",
    re.VERBOSE | re.DOTALL,
)
_OPEN, _CLOSE = {"(", "[", "{"}, {")", "]", "}"}


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a text, comments and ends of lines among them."""
    position, line = 0, 1
    while position < len(text):
        if text[position] == '"':
            end = _end_of_string(text, position)
            kind, value = "string", text[position:end]
        else:
            found = _TOKEN.match(text, position)
            if not found:
                raise HclError(f"line {line}: {text[position : position + 20]!r}")
            end, value = found.end(), found[0]
            kind = value if found.lastgroup == "operator" else str(found.lastgroup)
            kind = "heredoc" if found["heredoc"] else kind
        if kind != "space":
            yield Token(kind, value, line)
        position, line = end, line + value.count("\n")


def _end_of_string(text: str, start: int) -> int:
    """The place after the closing quote. A ``${…}`` may hold strings of its own."""
    position = start + 1
    while text[position] != '"':
        if text[position] == "\\" or text.startswith(("$${", "%%{"), position):
            position += 2
        elif text.startswith(("${", "%{"), position):
            position = _end_of_template(text, position + 2)
        else:
            position += 1
    return position + 1


def _end_of_template(text: str, start: int) -> int:
    depth, position = 1, start
    while depth:
        if text[position] == '"':
            position = _end_of_string(text, position)
        else:
            depth += (text[position] == "{") - (text[position] == "}")
            position += 1
    return position


def parse(text: str) -> Block:
    """A file as a block without kind."""
    reader = _Reader(
        [token for token in tokens(text if text.endswith("\n") else f"{text}\n") if token.kind != "comment"]
    )
    root = Block("", (), 1)
    reader.body(root)
    reader.expect_the_end()
    return root


def read(*paths: Path) -> Block:
    """All files as one, as Terraform sees a folder's."""
    root = Block("", (), 1)
    for path in paths:
        try:
            part = parse(path.read_text(encoding="utf-8"))
        except HclError as error:
            raise HclError(f"{path}: {error}") from error
        root.attributes.extend(part.attributes)
        root.blocks.extend(part.blocks)
    return root


class _Reader:
    def __init__(self, all_tokens: Sequence[Token]) -> None:
        self._tokens, self._position = all_tokens, 0

    def _next(self) -> Token:
        self._position += 1
        return self._tokens[self._position - 1]

    def _peek(self) -> str:
        return self._tokens[self._position].kind if self._position < len(self._tokens) else "end"

    def body(self, block: Block) -> None:
        """Read arguments and blocks up to the closing brace, or the end."""
        while self._peek() not in {"}", "end"}:
            token = self._next()
            if token.kind == "newline":
                continue
            if token.kind != "name":
                raise HclError(f"line {token.line}: {token.text} where an argument or a block begins")
            if self._peek() == "=":
                self._next()
                block.attributes.append(Attribute(token.text, tuple(self._expression()), token.line))
            else:
                block.blocks.append(self._block(token))

    def expect_the_end(self) -> None:
        """Refuse a brace that closes nothing."""
        if self._peek() != "end":
            raise HclError(f"line {self._tokens[self._position].line}: a brace closes nothing")

    def _block(self, name: Token) -> Block:
        labels = []
        while (token := self._next()).kind != "{":
            if token.kind not in {"string", "name"}:
                raise HclError(f"line {token.line}: {token.text} in the header of {name.text}")
            labels.append(token.text.strip('"'))
        block = Block(name.text, tuple(labels), name.line)
        self.body(block)
        if self._peek() == "end":
            raise HclError(f"line {name.line}: {name.text} is not closed")
        self._next()
        return block

    def _expression(self) -> Iterator[Token]:
        depth = 0
        while self._peek() != "end" and (depth or self._peek() not in {"newline", "}"}):
            token = self._next()
            depth += (token.kind in _OPEN) - (token.kind in _CLOSE)
            if token.kind != "newline":
                yield token


def duplicate_keys(attribute: Attribute) -> list[str]:
    """Keys that an object in an expression has twice: Terraform takes the last of them without a word."""
    found: list[str] = []
    levels: list[list[str] | None] = []  # keys of each open brace; None for a bracket, a call, or a `for`
    sequence = attribute.tokens
    for number, token in enumerate(sequence):
        if token.kind in _OPEN:
            is_object = token.kind == "{" and [one.text for one in sequence[number + 1 : number + 2]] != ["for"]
            levels.append([] if is_object else None)
        elif token.kind in _CLOSE:
            levels.pop()
        elif levels and (keys := levels[-1]) is not None and _is_key(sequence, number):
            name = token.text.strip('"')
            found += [name] if name in keys else []
            keys.append(name)
    return found


def _is_key(sequence: Sequence[Token], number: int) -> bool:
    """Whether it is a key: at the start of an object, after a comma or on a new line, and before an equals sign."""
    before, following = sequence[number - 1], sequence[number + 1 : number + 2]
    if sequence[number].kind not in {"name", "string"} or not following or following[0].kind not in {"=", ":"}:
        return False
    return before.kind in {"{", ","} or before.line + before.text.count("\n") < sequence[number].line


_REFERENCE = re.compile(r"(?<![\w.-])(data\.)?(aws_\w+)\.([\w-]+)((?:\.\*|\0|\.[A-Za-z_][\w-]*)*)")


@dataclass(frozen=True, slots=True)
class Reference:
    """An expression's use of a resource or a data source."""

    kind: str  # resource aws_sqs_queue
    name: str
    path: tuple[str, ...]  # names of attributes, without indices
    line: int


def references(attribute: Attribute) -> Iterator[Reference]:
    """The resources and data sources that an expression names, also inside strings."""
    for code in _code(attribute.tokens):
        for data, kind, name, path in _REFERENCE.findall(code):
            names = tuple(re.findall(r"\.([A-Za-z_][\w-]*)", path))
            yield Reference(f"{'data' if data else 'resource'} {kind}", name, names, attribute.line)


def _code(sequence: Sequence[Token]) -> Iterator[str]:
    """An expression in pieces, without strings: each bracket's content is a piece of its own, and NUL where it was."""
    text = " ".join("" if token.kind in {"string", "heredoc"} else token.text for token in sequence)
    text = re.sub(r" *\. *", ".", text)
    while bracket := re.search(r" *\[([^\[\]]*)\]", text):
        yield bracket[1]
        text = f"{text[: bracket.start()]}\0{text[bracket.end() :]}"
    yield re.sub(r" +\0", "\0", re.sub(r"\0 *\.", "\0.", text))
    for token in sequence:
        if token.kind in {"string", "heredoc"}:
            for inside in templates(token.text):
                yield from _code(list(tokens(inside)))


def templates(string: str) -> Iterator[str]:
    """What is inside each ``${…}`` of a string."""
    for found in re.finditer(r"(?<!\$)\$\{", string):
        yield string[found.end() : _end_of_template(string, found.end()) - 1]
