"""What feeds a reader from the file: commits as they come, and scans for all the rest."""

from collections.abc import Callable, Sequence

from sagalog.schemas.record import Record
from sagalog.streams.embedded.cursor import Cursor
from sagalog.streams.embedded.insertion import unpack
from sagalog.streams.embedded.missing import lost
from sagalog.streams.embedded.requests import Commit
from sagalog.streams.embedded.rows import WINDOW, Row, Rows
from sagalog.streams.log import Place


class FileFeed:
    """A `Feed` from the log's file.

    `_seq` is its position in the order of commits: commits of this process that follow on
    it are taken as they are, without a look into the file; anything else shows as a step
    in the seqs, upon which the file is scanned from there for all level places at once.
    """

    def __init__(self, rows: Rows, number_of: Callable[[Place], int]) -> None:
        self._rows = rows
        self._number_of = number_of
        self._cursors: dict[int, Cursor] = {}
        self._seq = rows.end()
        self._missed = False  # something stands in the file from _seq on
        self._lags = False  # some cursor may be not level

    @property
    def behind(self) -> bool:
        """Whether the file holds records that were not looked at yet."""
        return self._missed or self._lags

    def watch(self, place: Place, offset: int) -> None:
        """Feed `place` from `offset` on."""
        number = self._number_of(place)
        self._cursors[number] = Cursor(place, number, offset)
        self._lags = True

    def drop(self, place: Place) -> None:
        """Feed `place` no more."""
        self._cursors.pop(self._number_of(place), None)

    def pause(self, place: Place) -> None:
        """Feed nothing of `place` until `resume`."""
        self._set_paused(place, paused=True)

    def resume(self, place: Place) -> None:
        """Undo `pause`."""
        self._set_paused(place, paused=False)
        self._lags = True

    def committed(self, commit: Commit) -> bool:
        """Take a commit of this process, if nothing is missing before it.

        Answers whether there is reason for a `take`.
        """
        if commit.first != self._seq:
            return self.look(commit.end)
        worth = False
        for append in commit.appends:
            cursor = self._cursors.get(append.number)
            if cursor and cursor.level:
                worth = True
                if cursor.full() or append.offset != cursor.next:
                    cursor.fall_behind(commit.first)
                    self._lags = True
                else:
                    cursor.hold(append.records(), append.size)
        self._seq = commit.end
        return worth

    def look(self, end: int) -> bool:
        """Whether a log that ends at the seq `end` holds what was not looked at yet."""
        self._missed = self._missed or end > self._seq
        return self._missed

    def take(self) -> list[Record]:
        """What is there now and not yet taken, bounded."""
        if self._missed:
            self._follow()
        if self._lags:
            self._catch_up()
        taken: list[Record] = []
        for cursor in self._cursors.values():
            if cursor.held and not cursor.paused:
                taken += cursor.release()
        return taken

    def _set_paused(self, place: Place, *, paused: bool) -> None:
        if cursor := self._cursors.get(self._number_of(place)):
            cursor.paused = paused

    def _follow(self) -> None:
        """Look at what others committed, for all level places at once."""
        end = self._rows.end()
        for cursor in self._cursors.values():
            if cursor.level and cursor.full():
                cursor.fall_behind(self._seq)
                self._lags = True
        level = [cursor for cursor in self._cursors.values() if cursor.level]
        self._seq = self._scan(level, self._seq, end) if level else max(end, self._seq)
        self._missed = self._seq < end

    def _catch_up(self) -> None:
        """Bring the places that are furthest behind nearer to the feed's own position."""
        lagging = [c for c in self._cursors.values() if not c.level and not c.paused]
        self._locate([cursor for cursor in lagging if cursor.seq is None])
        positions = {cursor: cursor.seq or 0 for cursor in lagging}
        since = min(positions.values(), default=self._seq)
        near = [cursor for cursor in lagging if positions[cursor] < since + WINDOW]
        upto = {cursor: cursor.next for cursor in near}
        reached = self._scan(near, since, self._seq) if since < self._seq else self._seq
        for cursor in near:
            cursor.seq = max(positions[cursor], reached)
            cursor.level = cursor.seq >= self._seq
            if not cursor.level and cursor.next == upto[cursor]:
                # Nothing of it for a whole window: go where its next record stands.
                cursor.seq = max(cursor.seq, self._rows.locate(cursor.number, cursor.next))
        self._lags = not all(cursor.level for cursor in lagging)

    def _locate(self, cursors: Sequence[Cursor]) -> None:
        """Find out where the rows of new cursors may begin."""
        if not cursors:
            return
        end, bounds = self._rows.end(), self._rows.bounds()
        for cursor in cursors:
            start, following = bounds[cursor.number]
            if not start <= cursor.next <= following:
                raise lost(cursor.place, cursor.next, start, following)
            at_end = cursor.next == following
            cursor.seq = end if at_end else self._rows.locate(cursor.number, cursor.next)

    def _scan(self, cursors: Sequence[Cursor], since: int, until: int) -> int:
        """Hold the next rows of these cursors; the seq up to which they have all."""
        numbers = [cursor.number for cursor in cursors]
        rows, reached = self._rows.scan(since, until, numbers)
        for row in rows:
            self._accept(self._cursors[row[1]], row)
        return reached

    def _accept(self, cursor: Cursor, row: Row) -> None:
        _, number, offset, timestamp, key, value, headers = row
        if offset > cursor.next:
            raise lost(cursor.place, cursor.next, *self._rows.bounds()[number])
        if offset == cursor.next:
            topic, partition = cursor.place
            unpacked = unpack(headers) if headers else ()
            record = Record(topic, partition, offset, timestamp, key, value, unpacked)
            cursor.hold([record], len(value or b""))
