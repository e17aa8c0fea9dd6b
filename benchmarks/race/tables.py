"""How do runs become a table: medians, ratios, and which targets are met?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from statistics import median

from race.rounds import Run
from race.rows import Row, Target

__all__ = ["render"]

_OURS = ("ours", "ours [speed]")
_MOST, _LARGE_ADDS = 100, 16
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


def render(row: Row, runs: Sequence[Run], *, judge: bool = True) -> str:
    """The row as Markdown, quickest first; where `judge`, with what became of its targets."""
    if len(row.works) > 1:
        return _memory(row, runs, judge=judge)
    by_racer = {name: [run for run in runs if run.racer == name] for name in row.racers}
    by_racer = {name: some for name, some in by_racer.items() if some}
    one = all(run.files == 1 for run in runs)
    unit, per = ("MB/s", "GB") if one else ("files/s", "1,000 files")
    rounds = len(by_racer["ours"]) if "ours" in by_racer else 0
    order = sorted(by_racer, key=lambda name: -median(map(rate, by_racer[name])))
    head = [text.format(unit=unit, per=per) for text in _HEAD]
    lines = [
        f"**{row.title}** ({_how_often(rounds, judge=judge)})",
        "",
        _line(head),
        _line(["---", *["---:"] * (len(head) - 1)]),
        *(_line(_cells(by_racer[name], by_racer.get("ours", []))) for name in order),
        "",
        *(_verdicts(row, by_racer) if judge else ()),
    ]
    return "\n".join(lines)


def rate(run: Run) -> float:
    """Files a second, or MB a second where there is but one."""
    return (run.files if run.files > 1 else run.bytes / 1e6) / run.seconds


def cpu(run: Run) -> float:
    """CPU seconds for 1,000 files, or for a GB where there is but one."""
    return run.cpu / (run.files / 1_000 if run.files > 1 else run.bytes / 1e9)


def _memory(row: Row, runs: Sequence[Run], *, judge: bool) -> str:
    """What each work took, and how much of that is for more than one small file."""
    peaks = {key: [run.rss / 1e6 for run in runs if run.work == key] for key in row.works}
    least = median(peaks["one"])
    lines = [
        f"**{row.title}** ({_how_often(len(peaks['one']), judge=judge)})",
        "",
        _line(["files", "peak MB", "min–max", "above one small file"]),
        _line(["---", "---:", "---:", "---:"]),
    ]
    for key in row.works:
        run = next(run for run in runs if run.work == key)
        what = f"{run.files:,} × {run.bytes // run.files / 1e3:,.0f} KB"
        spread = f"{min(peaks[key]):.1f}–{max(peaks[key]):.1f}"
        more = f"{median(peaks[key]) - least:.1f}"
        lines.append(_line([what, f"{median(peaks[key]):.1f}", spread, more]))
    most, large = max(map(median, peaks.values())), median(peaks["large"]) - least
    verdicts = [
        f"* at most 100 MB: {most:.0f}, {_word(good=most <= _MOST)}",
        f"* the 1 GB file adds under 16 MB: {large:.1f}, {_word(good=large < _LARGE_ADDS)}",
    ]
    return "\n".join([*lines, "", *(verdicts if judge else ())])


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
