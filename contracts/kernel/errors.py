"""Every error Relais raises, in one small tree.

    RelaisError
    ├── InvalidDocument      a signed document that does not hold (shape, signature, dates)
    │   └── UnknownKey       a key that no pinned convention or rotation vouches for
    ├── InvalidPayload       a message's content that does not fit its type
    ├── UnknownName          a flow, convention, organisation or case that does not exist here
    ├── Ambiguous            several conventions could carry the message; the caller must name one
    ├── Refused              the law of a convention said no (always with its articles)
    ├── Unverified           a letter or a receipt whose origin cannot be proven
    └── Unavailable          a server that the node needs does not answer

`code` is for machines, `sentence` for people (French where an agent reads it), `articles` for the
obligations that refused. None of them may hold personal data: ids and codes only.
"""

from __future__ import annotations


class RelaisError(Exception):
    """Root of the tree.

    sentence: what happened, where, and what to do about it.
    code: stable machine name; the class gives a default.
    articles: ids of the obligations that refused (``A-2.11``), empty when no law is at stake.
    """

    code = "error"
    status = 500

    def __init__(
        self, sentence: str, *, code: str | None = None, articles: tuple[str, ...] = ()
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code or type(self).code
        self.articles = articles


class InvalidDocument(RelaisError):
    """A convention, an act, a directory entry or a proof whose shape or signature fails."""

    code = "invalid_document"
    status = 422


class UnknownKey(InvalidDocument):
    """A signature by a key that nothing vouches for at that instant."""

    code = "unknown_key"


class InvalidPayload(RelaisError):
    """Content that does not fit its message type (A-5.1: strictly necessary, nothing else).

    fields: dotted paths of what is wrong, with a code each; never the value itself. message_id:
    under which the refusal was journaled, where it was.
    """

    code = "invalid_payload"
    status = 422

    def __init__(
        self,
        sentence: str,
        *,
        fields: tuple[tuple[str, str], ...] = (),
        code: str | None = None,
        articles: tuple[str, ...] = (),
    ) -> None:
        super().__init__(sentence, code=code, articles=articles)
        self.fields = fields
        self.message_id: str | None = None


class UnknownName(RelaisError):
    """Nothing here bears that name."""

    code = "unknown"
    status = 404


class Ambiguous(RelaisError):
    """More than one candidate; Relais never guesses."""

    code = "ambiguous"
    status = 422


class Refused(RelaisError):
    """The gate said no."""

    code = "refused"
    status = 403


class Unverified(RelaisError):
    """The sender is not who the letter says, or the letter was altered."""

    code = "unverified"
    status = 403


class Unavailable(RelaisError):
    """A server this node depends on is away; nothing was lost, the call may be made again."""

    code = "unavailable"
    status = 503
