"""State machines on this machine: the part of the Amazon States Language that the template uses.

Pass, Task, Map, Choice on a Boolean, Succeed; JSONPath in its plain form (`$.a.b`, `$[0].c`, `$$.Map.Item.Value`) and
`States.StringToJson`. `check` refuses everything else by name when the template is read, so what runs here means the
same as in the cloud. A distributed map runs its items one after the other; pauses before retries are left out.

Source: Amazon States Language specification (states-language.net), Step Functions Developer Guide.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Json = Any  # parsed YAML and JSON: checked where it is used
Task = Callable[[Mapping[str, Json]], Json]
"""Runs a Task's resource with its parameters. Raises `TaskError`."""

TASKS = ("arn:aws:states:::lambda:invoke", "arn:aws:states:::sqs:sendMessage")
_ALWAYS = {"Type", "Comment"}
_TRIED = {"Retry", "Catch"}
_FIELDS: Mapping[str, set[str]] = {
    "Pass": {"Parameters", "OutputPath", "Next"},
    "Task": {"Resource", "Parameters", "ResultSelector", "ResultPath", "TimeoutSeconds", "Next", *_TRIED},
    "Map": {"ItemsPath", "ItemSelector", "ItemProcessor", "MaxConcurrency", "ResultPath", "Next", *_TRIED},
    "Choice": {"Choices", "Default"},
    "Succeed": set(),
}
_RULE = {"Variable", "BooleanEquals", "Next"}
_RETRY = {"ErrorEquals", "IntervalSeconds", "BackoffRate", "MaxDelaySeconds", "MaxAttempts", "JitterStrategy"}
_CATCH = {"ErrorEquals", "ResultPath", "Next"}
_PATH = re.compile(r"\$\$?(\.\w+|\[\d+\])*")
_TO_JSON = re.compile(r"States\.StringToJson\((.+)\)")
_STEPS = 100_000


class MachineError(Exception):
    """A definition that cannot run here, or a failed execution; the message names the state."""


class TaskError(Exception):
    """A task failed, with the name that `ErrorEquals` compares."""

    def __init__(self, name: str, cause: str) -> None:
        super().__init__(f"{name}: {cause}")
        self.name = name


def check(definition: Mapping[str, Json]) -> None:
    """Raise MachineError for what does not run here, and for a missing or unreachable state."""
    _only(definition, {"Comment", "StartAt", "States", "TimeoutSeconds", "ProcessorConfig"}, "the machine")
    states = definition["States"]
    reached, following = set[str](), [definition["StartAt"]]
    while following:
        name = following.pop()
        if name not in states:
            raise MachineError(f"there is no state {name}")
        if name not in reached:
            reached.add(name)
            following += _check_state(name, states[name])
    if reached != set(states):
        raise MachineError(f"never reached: {', '.join(sorted(set(states) - reached))}")


def _check_state(name: str, state: Mapping[str, Json]) -> list[str]:
    """The states that may follow this one."""
    kind = str(state.get("Type"))
    if kind not in _FIELDS:
        raise MachineError(f"{name}: states of type {kind} do not run here")
    _only(state, _FIELDS[kind] | _ALWAYS, name)
    _check_paths(name, {key: value for key, value in state.items() if key != "ItemProcessor"})
    if kind == "Task" and state["Resource"] not in TASKS:
        raise MachineError(f"{name}: {state['Resource']} does not run here")
    if kind == "Map":
        if not {"ItemsPath", "ItemSelector"} <= set(state):
            raise MachineError(f"{name}: a Map names ItemsPath and ItemSelector here")
        check(state["ItemProcessor"])
    following = [state["Next"]] if "Next" in state else []
    for entry, fields in (("Choices", _RULE), ("Retry", _RETRY), ("Catch", _CATCH)):
        for rule in state.get(entry, ()):
            _only(rule, fields, f"{name}: {entry}")
            following += [rule["Next"]] if "Next" in rule else []
    if kind == "Choice":
        following.append(state["Default"])
    elif kind != "Succeed" and "Next" not in state:
        raise MachineError(f"{name}: every state but Choice and Succeed names the next one here")
    return following


def _only(given: Mapping[str, Json], known: set[str], where: str) -> None:
    unknown = sorted(set(given) - known)
    if unknown:
        raise MachineError(f"{where}: {', '.join(unknown)} is not known here")


def _check_paths(name: str, value: Json) -> None:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if (key.endswith((".$", "Path")) or key == "Variable") and not _is_path(str(inner)):
                raise MachineError(f"{name}: {inner} is not a path that is understood here")
            _check_paths(name, inner)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for inner in value:
            _check_paths(name, inner)


def _is_path(text: str) -> bool:
    call = _TO_JSON.fullmatch(text)
    return _PATH.fullmatch(call[1] if call else text) is not None


class Execution:
    """One run of a machine, with the code of its tasks. `report` gets every failed attempt."""

    def __init__(self, tasks: Mapping[str, Task], report: Callable[[str], None] = print) -> None:
        self._tasks = tasks
        self._report = report

    def run(self, definition: Mapping[str, Json], given: Json, item: Json = None) -> Json:
        """Run from the first state to the end; returns the output. MachineError if a state failed and nothing caught
        it."""
        value, name = given, definition["StartAt"]
        for _ in range(_STEPS):
            state = definition["States"][name]
            if state["Type"] == "Succeed":
                return value
            if state["Type"] == "Choice":
                name = _chosen(state, value)
            elif state["Type"] == "Pass":
                shaped = _shape(state["Parameters"], value, item) if "Parameters" in state else value
                value, name = _at(state.get("OutputPath", "$"), shaped, item), state["Next"]
            else:
                value, name = self._done(name, state, value, item)
        raise MachineError(f"{name}: no end after {_STEPS} steps")

    def _done(self, name: str, state: Mapping[str, Json], value: Json, item: Json) -> tuple[Json, str]:
        try:
            result = self._tried(name, state, value, item)
        except TaskError as error:
            caught = next((rule for rule in state.get("Catch", ()) if _means(rule, error)), None)
            if caught is None:
                raise MachineError(f"{name}: {error}") from error
            failure = {"Error": error.name, "Cause": str(error)}
            return _put(caught.get("ResultPath", "$"), value, failure), caught["Next"]
        if "ResultSelector" in state:
            result = _shape(state["ResultSelector"], result, item)
        return _put(state.get("ResultPath", "$"), value, result), state["Next"]

    def _tried(self, name: str, state: Mapping[str, Json], value: Json, item: Json) -> Json:
        attempts = 0
        while True:
            try:
                if state["Type"] == "Map":
                    return [self._part(name, state, value, part) for part in _at(state["ItemsPath"], value, item)]
                return self._tasks[state["Resource"]](_shape(state["Parameters"], value, item))
            except TaskError as error:
                attempts += 1
                rule = next((rule for rule in state.get("Retry", ()) if _means(rule, error)), None)
                if rule is None or attempts > rule.get("MaxAttempts", 3):
                    raise
                self._report(f"{name}: attempt {attempts} failed: {error}")

    def _part(self, name: str, state: Mapping[str, Json], value: Json, part: Json) -> Json:
        try:
            return self.run(state["ItemProcessor"], _shape(state["ItemSelector"], value, part), part)
        except MachineError as error:
            raise TaskError("States.ExceedToleratedFailureThreshold", f"{name}: {error}") from error


def _means(rule: Mapping[str, Json], error: TaskError) -> bool:
    wanted = rule["ErrorEquals"]
    return "States.ALL" in wanted or "States.TaskFailed" in wanted or error.name in wanted


def _chosen(state: Mapping[str, Json], value: Json) -> str:
    for rule in state["Choices"]:
        if _at(rule["Variable"], value, None) is rule["BooleanEquals"]:
            return str(rule["Next"])
    return str(state["Default"])


def _shape(template: Json, value: Json, item: Json) -> Json:
    if isinstance(template, Mapping):
        return {
            key.removesuffix(".$"): _at(inner, value, item) if key.endswith(".$") else _shape(inner, value, item)
            for key, inner in template.items()
        }
    return template


def _at(path: str, value: Json, item: Json) -> Json:
    call = _TO_JSON.fullmatch(path)
    if call:
        return json.loads(_at(call[1], value, item))
    found = {"Map": {"Item": {"Value": item}}} if path.startswith("$$") else value
    for name, index in re.findall(r"\.(\w+)|\[(\d+)\]", path):
        try:
            found = found[name] if name else found[int(index)]
        except (KeyError, IndexError, TypeError) as error:
            raise MachineError(f"{path} is not in {value!r}") from error
    return found


def _put(path: str, value: Json, result: Json) -> Json:
    if path == "$":
        return result
    return {**value, path.removeprefix("$."): result}
