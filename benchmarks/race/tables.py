"""How do runs become a table: medians, ratios, and which targets are met?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from statistics import median

from race.rounds import Out, Run
from race.rows import Row, Target

__all__ = ["render"]

_OURS = ("ours", "ours [speed]")
_MOST, _ADDED = 100, 16
_ADDS = (
    ("ours", "large", "one", "the 1 GB file adds"),
    ("ours, streamed", "many", "small", "50,000 streamed files add to 5,000"),
)
_HEAD = (
    "client",
    "{unit}",
    "min–max",
    "ours ÷ it",
    "round by round",
    "CPU s / {per}",
    "peak MB",
    "start s",
    "other load",
)


def render(row: Row, runs: Sequence[Run], out: Sequence[Out] = (), *, judge: bool = True) -> str:
    """The row as Markdown, quickest first; where `judge`, with what became of its targets."""
    table = _memory if len(row.works) > 1 else _race
    notes = [f"* {who.racer} has no number ({who.work}): {who.why}" for who in out]
    return "\n".join([*table(row, runs, judge=judge), *notes])


def _race(row: Row, runs: Sequence[Run], *, judge: bool) -> list[str]:
    by_racer = {name: [run for run in runs if run.racer == name] for name in row.racers}
    by_racer = {name: some for name, some in by_racer.items() if some}
    one = all(run.files == 1 for run in runs)
    unit, per = ("MB/s", "GB") if one else ("files/s", "1,000 files")
    rounds = len(by_racer["ours"]) if "ours" in by_racer else 0
    order = sorted(by_racer, key=lambda name: -median(map(rate, by_racer[name])))
    head = [text.format(unit=unit, per=per) for text in _HEAD]
    return [
        f"**{row.title}** ({_how_often(rounds, judge=judge)})",
        "",
        _line(head),
        _line(["---", *["---:"] * (len(head) - 1)]),
        *(_line(_cells(by_racer[name], by_racer.get("ours", []))) for name in order),
        "",
        *(_verdicts(row, by_racer) if judge else ()),
    ]


def rate(run: Run) -> float:
    """Files a second, or MB a second where there is but one."""
    return (run.files if run.files > 1 else run.bytes / 1e6) / run.seconds


def cpu(run: Run) -> float:
    """CPU seconds for 1,000 files, or for a GB where there is but one."""
    return run.cpu / (run.files / 1_000 if run.files > 1 else run.bytes / 1e9)


def _memory(row: Row, runs: Sequence[Run], *, judge: bool) -> list[str]:
    """What each work took, and how much of that is for more than one small file."""
    of: dict[tuple[str, str], list[Run]] = {}
    for run in sorted(
        runs, key=lambda run: (row.racers.index(run.racer), row.works.index(run.work))
    ):
        of.setdefault((run.racer, run.work), []).append(run)
    peaks = {key: median(run.rss / 1e6 for run in some) for key, some in of.items()}
    lines = [
        f"**{row.title}** ({_how_often(max(map(len, of.values())), judge=judge)})",
        "",
        _line(["client", "files", "peak MB", "min–max", "above one small file"]),
        _line(["---", "---", "---:", "---:", "---:"]),
    ]
    for (racer, work), some in of.items():
        what = f"{some[0].files:,} × {some[0].bytes // some[0].files / 1e3:,.0f} KB"
        spread = (
            f"{min(run.rss for run in some) / 1e6:.1f}–{max(run.rss for run in some) / 1e6:.1f}"
        )
        least = peaks.get((racer, "one"))
        more = "" if least is None else f"{peaks[racer, work] - least:.1f}"
        lines.append(_line([racer, what, f"{peaks[racer, work]:.1f}", spread, more]))
    return [*lines, "", *(_memory_verdicts(peaks) if judge else ())]


def _memory_verdicts(peaks: dict[tuple[str, str], float]) -> Iterator[str]:
    """Of those measures that are there: rounds may have been broken off."""
    # The list of 50,000 is the caller's: what the library keeps of them shows where it is streamed.
    listed = [peak for key, peak in peaks.items() if key != ("ours", "many")]
    if listed:
        yield f"* at most 100 MB: {max(listed):.0f}, {_word(good=max(listed) <= _MOST)}"
    for racer, work, base, what in _ADDS:
        if {(racer, work), (racer, base)} <= peaks.keys():
            added = peaks[racer, work] - peaks[racer, base]
            yield f"* {what} under {_ADDED} MB: {added:.1f}, {_word(good=added < _ADDED)}"


def _how_often(rounds: int, *, judge: bool) -> str:
    return f"{rounds} rounds" if judge else "a rehearsal with few files: it proves nothing"


def _word(*, good: bool) -> str:
    return "met" if good else "**missed**"


def _cells(runs: Sequence[Run], ours: Sequence[Run]) -> Iterator[str]:
    rates = [rate(run) for run in runs]
    yield runs[0].racer
    yield f"{median(rates):,.0f}"
    yield f"{min(rates):,.0f}–{max(rates):,.0f}"
    if ours and runs[0].racer != "ours":
        paired = _paired(ours, runs, rate)
        yield f"{_ratio(ours, runs, rate):.2f}"
        yield f"{min(paired):.2f}–{max(paired):.2f}"
    else:
        yield from ("", "")
    yield f"{median(map(cpu, runs)):.2f}"
    yield f"{median(run.rss for run in runs) / 1e6:.0f}"
    yield f"{median(run.whole - run.seconds for run in runs):.2f}"
    yield f"{median(run.load for run in runs):.2f}"


def _verdicts(row: Row, by_racer: dict[str, list[Run]]) -> Iterator[str]:
    for target in row.targets:
        if target.peer in by_racer:
            found = [
                f"{name} {_verdict(target, by_racer[name], by_racer[target.peer])}"
                for name in _OURS
                if name in by_racer
            ]
            what = "CPU of " if target.measure == "cpu" else ""
            further = "" if target.reach == target.must else f" (reach for {target.reach:g})"
            yield f"* {target.must:g} × {what}{target.peer}{further}: {', '.join(found)}"


def _verdict(target: Target, ours: Sequence[Run], theirs: Sequence[Run]) -> str:
    if target.measure == "cpu":
        found = _ratio(ours, theirs, cpu)
        return f"{found:.2f} {_word(good=found <= target.must)}"
    found = _ratio(ours, theirs, rate)
    return f"{found:.2f} {_word(good=found >= target.must)}"


def _ratio(ours: Sequence[Run], theirs: Sequence[Run], of: Callable[[Run], float]) -> float:
    return median(map(of, ours)) / median(map(of, theirs))


def _paired(ours: Sequence[Run], theirs: Sequence[Run], of: Callable[[Run], float]) -> list[float]:
    return [of(mine) / of(its) for mine, its in zip(ours, theirs, strict=False)]


def _line(cells: Iterator[str] | Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
