"""The verdict as one HTML file to send to whoever must fix it: no script, nothing fetched from anywhere, good on paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailname import __version__
from mailname.checks.facts import RUNGS
from mailname.checks.finding import CODES
from mailname.checks.wording import spoken
from mailname.cli.verdict_style import STYLE
from mailname.view.delegation_hops import hops
from mailname.view.delegation_map import draw
from mailname.view.html_text import Html, fill, joined
from mailname.view.ladder_lines import ONE_OF, PROVEN, TITLES, rung_lines
from mailname.view.verdict_doing import look_again, only_looks, own_letters, to_enter
from mailname.view.verdict_sentence import sentence

if TYPE_CHECKING:
    from mailname.checks import Cause, Facts, Finding, Verdict
    from mailname.checks.candidates import Choice
    from mailname.checks.finding import Evidence
    from mailname.plan import Plan

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="mailname $version">
<title>$domain: $verdict</title>
<style>$style</style>
</head>
<body class="$verdict">
<header>
<p class="badge"><span aria-hidden="true">$sign</span> $verdict</p>
<h1>$domain</h1>
$letters<p class="sentence">$sentence</p>
<p class="small">Seen on $at. $queries questions in $seconds s.$asked</p>
</header>
<main>
<div class="text">
$causes
$notes
</div>
<figure>
$map
<figcaption>The way a sender goes, from the top.
<b>✓</b> well, <b>!</b> fragile, <b>✕</b> broken, <b>?</b> not known.</figcaption>
</figure>
</main>
<section class="seen">
<h2>What was seen</h2>
$seen
</section>
<footer>
<p>$blocked Made by mailname $version. What is said here rests on the answers above and on nothing else;
each line under "Type" and "Look again" can be typed as it stands.</p>
</footer>
</body>
</html>
"""

_CAUSE = """<section class="cause $severity">
<h2><span class="over">$over</span> <span class="nobreak">$code</span> $title</h2>
<p class="says">$says</p>
<dl>
<dt>Where</dt><dd>$where</dd>
<dt>Fix</dt><dd>$fix</dd>
$command</dl>
$choice
$evidence
$explains
$proven
</section>
"""

_NOTE = '<p class="small"><b>Note</b> <span class="nobreak">$code</span> $says $fix</p>'

_SIGNS = {"well": "✓", "fragile": "!", "broken": "✕", "unknown": "?"}
_WHOLE = 24  # letters of a word that a narrow screen has room for
_MOST_EVIDENCE = 6


def page(plan: Plan, facts: Facts, verdict: Verdict) -> str:
    """Return the page."""
    domain = spoken(plan.domain)
    asked = f" Asked about {spoken(facts.asked)}, a name in this zone." if facts.asked is not None else ""
    causes = [_cause(one, verdict, plan, facts) for one in _causes(verdict)]
    blocked = f"{len(verdict.blocked)} checks could not be made because of it." if verdict.blocked else ""
    return fill(
        _PAGE,
        version=__version__,
        domain=domain,
        letters=fill('<p class="small">$name</p>\n', name=name) if (name := own_letters(domain)) else Html(),
        verdict=verdict.verdict,
        style=Html(STYLE),
        sign=_SIGNS[verdict.verdict],
        sentence=sentence(plan, facts, verdict),
        at=f"{facts.at:%Y-%m-%d at %H:%M} UTC",
        queries=verdict.queries,
        seconds=f"{verdict.seconds:.2f}",
        asked=asked,
        causes=joined(causes) if causes else _nothing_to_do(plan, facts, verdict),
        notes=joined(fill(_NOTE, code=one.code, says=one.says, fix=one.fix) for one in verdict.notes),
        map=draw(hops(plan, facts, verdict), f"The delegation of {domain}"),
        seen=joined(_rung(rung, plan, facts) for rung in RUNGS),
        blocked=blocked,
    )


def _causes(verdict: Verdict) -> list[Cause]:
    return [one for one in (verdict.cause, *verdict.also) if one is not None]


def _nothing_to_do(plan: Plan, facts: Facts, verdict: Verdict) -> Html:
    if verdict.verdict == "unknown":
        title, says = "Nothing can be said", "Nobody could be asked from here who could tell. Look again from another network."
    else:
        mail = ", its MX and its mail hosts" if facts.mail else ""
        title, says = "Nothing is to be done", f"The registry, all name servers of {spoken(plan.domain)}{mail} agree and answer."
    return fill('<section class="cause"><h2>$title</h2><p class="says">$says</p></section>', title=title, says=says)


def _cause(cause: Cause, verdict: Verdict, plan: Plan, facts: Facts) -> Html:
    finding = cause.finding
    looks = only_looks(finding)
    lines = {
        "Enter": "\n".join(to_enter(plan, facts, finding)),
        "Type": "" if looks else finding.command,
        "Look again": finding.command if looks else look_again(finding),
    }
    command = joined(
        fill('<dt>$title</dt><dd><pre class="type"><code>$line</code></pre></dd>', title=title, line=_whole_words(line))
        for title, line in lines.items()
        if line
    )
    return fill(
        _CAUSE,
        severity=finding.severity.name.lower(),
        over="The cause" if cause is verdict.cause else "Independent of that",
        code=finding.code,
        title=CODES[finding.code],
        says=finding.says,
        where=finding.where,
        fix=finding.fix,
        command=command,
        choice=_choice(cause.choice),
        evidence=joined(map(_evidence, finding.evidence[:_MOST_EVIDENCE])),
        explains=_explains(cause.explains),
        proven=fill('<p class="small">$says</p>', says=PROVEN) if cause.proven else Html(),
    )


def _whole_words(lines: str) -> Html:
    """Let a line break between words, and not within an option or a short name."""
    return joined((joined(map(_whole, line.split(" ")), " ") for line in lines.split("\n")), "\n")


def _whole(word: str) -> Html:
    return fill("<span>$word</span>", word=word) if len(word) <= _WHOLE else fill("$word", word=word)


def _choice(choice: Choice | None) -> Html:
    if choice is None:
        return Html()
    items = (
        fill(
            "<li>$says $speaks<br><small>$where: $fix</small></li>",
            says=one.says,
            speaks=one.speaks,
            where=one.where,
            fix=one.fix,
        )
        for one in choice.candidates
    )
    command = fill('<pre class="type"><code>$line</code></pre>', line=choice.command) if choice.command else Html()
    return fill(
        "<h3>$title</h3><ol>$items</ol><p>$tells</p>$command",
        title=ONE_OF,
        items=joined(items),
        tells=choice.tells,
        command=command,
    )


def _evidence(piece: Evidence) -> Html:
    return fill(
        '<div class="evidence"><p><b>$question</b> asked of $server</p><pre>$answer</pre></div>',
        question=piece.question,
        server=piece.server,
        answer=piece.answer,
    )


def _explains(effects: tuple[Finding, ...]) -> Html:
    if not effects:
        return Html()
    items = (fill("<li><b>$code</b> $says</li>", code=one.code, says=one.says) for one in effects)
    return fill("<h3>This explains</h3><ul>$items</ul>", items=joined(items))


def _rung(rung: str, plan: Plan, facts: Facts) -> Html:
    lines = rung_lines(rung, plan, facts)
    said = joined((fill("<li>$line</li>", line=line) for line in lines), "")
    body = fill("<ul>$said</ul>", said=said) if lines else Html("<p>not asked</p>")
    return fill("<h3>$title</h3>$body", title=TITLES[rung], body=body)
