#!/usr/bin/env python3
"""Counts the reference cases that the gallery reproduces, and fails when a deck asks for less than its case does.

A verify entry names its case in `source`. Its `expect` must be the case's value and its `within` no wider than the case's tolerance
(relative or absolute, in the case's unit). Cases that a deck checks through another number, or through several, are listed in derived.yaml
with the reason; all of its numbers must be checked, and a case that is a threshold ('sign change', 'bracketed') needs one on each side.

Many tolerances have a part for particles and one for equations. Where that of particles is a number of standard errors, test_gallery.py compares
`within` with the standard error that the run reports (`too_wide` here).
"""
import os, re, sys
from pathlib import Path
import yaml

SOURCE = Path(os.environ["INKDROP_SOURCE"])
HERE = Path(__file__).resolve().parent


def number(text):
    """The leading number of a deck's value: '36.6 degC' -> 36.6, '0.1 %' -> (0.1, percent)."""
    match = re.match(r"\s*([+-]?[\d.]+(?:[eE][+-]?\d+)?)\s*(.*)", str(text))
    return (float(match[1]), match[2]) if match else (None, "")


def absolute(within, expect):
    """A tolerance ('0.1 %', '0.0366 K', 1e-3) as an absolute difference."""
    value, unit = number(within)
    return value / 100 * abs(expect) if unit.startswith("%") else value


def part(case, solver):
    """What the case's tolerance asks of a solver: '2 % from 1e6 paths; 1e-3 as absorbed flux of a PDE'."""
    parts = [text.strip() for text in case["tolerance"].split(";")]
    of_particles = re.compile("standard error|particles|paths|walkers|trials|simulation")
    return next((text for text in parts if bool(of_particles.search(text)) == (solver == "particles")), parts[0])


def is_sampled(case, solver):
    """Is the tolerance of the solver a number of standard errors?"""
    return solver == "particles" and "standard errors" in part(case, solver)


def too_wide(verdict, cases):
    """A line that says what is wrong with `within` of a particle run's verdict (report.json) whose case allows four standard errors, or "". That of
    theory is compared with that of the run, itself an estimate."""
    case = cases.get(verdict.get("source"))
    error = verdict.get("standard_error", 0)
    if not case or not is_sampled(case, "particles") or verdict["within"] <= 4 * 1.05 * error:
        return ""
    return f"{verdict['source']}: within {verdict['within']} is wider than {part(case, 'particles')} of {error:.3g}\n"


def tolerance(case, solver):
    """The case's tolerance as an absolute difference, or None ('within 2 cells', '1.95 to 2.05', 'bracketed within 1 %')."""
    match = re.match(r"([\d.]+(?:e-?\d+)?) *(relative|%|absolute|mV absolute)", part(case, solver))
    if not match:
        return None
    scale = {"relative": abs(float(case["value"])), "%": 0.01 * abs(float(case["value"]))}
    return float(match[1]) * scale.get(match[2], 1.0)


def as_list(value, count=1):
    return value if isinstance(value, list) else [value] * count


def complaint_derived(entry, allowed, seen, sampled):
    if "expect" not in allowed:
        return f"is checked by {allowed['test']}"
    value, _ = number(entry["expect"])
    expected = as_list(allowed["expect"])
    limits = as_list(allowed["within"], len(expected))
    for number_expected, limit in zip(expected, limits):
        if value is None or abs(value - number_expected) > 1e-12 * abs(number_expected):
            continue
        seen.add(number_expected)
        if not sampled and absolute(entry["within"], value) > absolute(limit, number_expected) * (1 + 1e-9):
            return f"within {entry['within']} is wider than {limit}"
        return None
    return f"expects {entry['expect']}, derived.yaml has {allowed['expect']}"


def complaint(entry, solver, case, derived, seen):
    """What is wrong with a verify entry, or None. seen: the expectations of derived.yaml met so far, by case."""
    sampled = is_sampled(case, solver)
    if entry["source"] in derived:
        return complaint_derived(entry, derived[entry["source"]], seen.setdefault(entry["source"], set()), sampled)
    value, _ = number(entry["expect"])
    wanted = float(case["value"])
    if value is None or abs(abs(value) - abs(wanted)) > 1e-12 * abs(wanted):
        return f"expects {entry['expect']}, the case has {case['value']}"
    if sampled:
        return None
    limit = tolerance(case, solver)
    if limit is None:
        return f"no tolerance of the value in '{case['tolerance']}': list it in derived.yaml"
    if absolute(entry["within"], wanted) > limit * (1 + 1e-9):
        return f"within {entry['within']} is wider than {part(case, solver)}"
    return None


def incomplete(cases, derived, covered, seen):
    """Derived cases of which a number is not checked by any deck, and thresholds without two sides."""
    for name, allowed in derived.items():
        if name not in cases:
            yield name, "no such case in references.yaml"
        if "expect" not in allowed or name not in covered:
            continue
        expected = as_list(allowed["expect"])
        if set(expected) != seen.get(name, set()):
            yield name, f"no deck checks {sorted(set(expected) - seen.get(name, set()))}"
        if re.search("sign change|bracketed", cases[name]["tolerance"]) and len(set(expected)) < 2:
            yield name, "a threshold needs a number on each side"


def main():
    cases = {case["id"]: case for case in yaml.safe_load((HERE.parent / "references.yaml").read_text())}
    derived = yaml.safe_load((HERE / "derived.yaml").read_text())
    covered, seen, failed = set(), {}, 0
    for deck in sorted((SOURCE / "inputs").glob("*/*.yaml")):
        tree = yaml.safe_load(deck.read_text())
        for entry in tree.get("verify", []):
            source = entry.get("source")
            if source is None:
                continue
            known = source in cases
            text = complaint(entry, tree.get("solver"), cases[source], derived, seen) if known else "no such case in references.yaml"
            if text:
                failed += 1
                print(f"{deck.name}: {source}: {text}")
            else:
                covered.add(source)
    for name, text in incomplete(cases, derived, covered, seen):
        failed += 1
        covered.discard(name)
        print(f"derived.yaml: {name}: {text}")
    for identifier, where in derived.items():  # reproduced by a test, not by a deck
        if "test" in where and (HERE.parent / where["test"]).exists():
            covered.add(identifier)
    print(f"references covered: {len(covered)} of {len(cases)}")
    print(f"{len(covered)} passed, {failed} failed")
    return 1 if failed or not covered else 0


if __name__ == "__main__":
    sys.exit(main())
