"""What can be wrong with a line of a training file: a code for each kind, and what to do about it.

The codes follow those of OpenAI's own check of such files where it has one.
"""

from __future__ import annotations

from typing import Any

REMEDIES: dict[str, str] = {
    "bad_weight": "Use 1 for an answer to learn and 0 for one that is context.",
    "blank_line": "Nothing is to be done: it is left out.",
    "conflicting_target": "Keep the answer that is right, or leave both out.",
    "control_characters": "Nothing is to be done: they are taken out.",
    "data_type": "Write one JSON object on each line.",
    "duplicate_row": "Leave it out, unless it is to count twice.",
    "empty_answer": "Leave the row out, or write the answer.",
    "empty_assistant": "Leave the row out, or write the answer.",
    "example_missing_assistant_message": "Add the answer to learn as the last message.",
    "foreign_format": "Write each row as messages with a role and a content: 'human' is user, 'gpt' is assistant.",
    "invalid_json": "Write one JSON object on each line, without a comma behind it.",
    "invalid_unicode": "Write both halves of the surrogate pair, or neither.",
    "invalid_utf8": "Save the file as UTF-8.",
    "last_message_not_assistant": "End the row with the answer to learn, or leave it out.",
    "legacy_format": "Write the prompt as a message of the user and the completion as the assistant's.",
    "line_too_long": "Leave the row out.",
    "message_missing_key": "Each message has a role and a content.",
    "message_unrecognized_key": "Leave the key out.",
    "missing_content": "Write a text, or leave the row out.",
    "missing_key": "Add it.",
    "missing_messages_list": "Write the conversation as a list under 'messages'.",
    "no_counterpart": "Leave the row out, or take a trainer that knows it.",
    "no_difference": "Leave the row out: nothing tells the two answers apart.",
    "not_jsonl": "Write one object on each line, without a list around them.",
    "other_method": "Ask for the method of the file, or send a file of the method.",
    "over_token_limit": "Shorten it or leave it out: models with a shorter window are trained on a part of it.",
    "target_schema_mismatch": "Write the answer as JSON alone, or leave the row out.",
    "too_deep": "Leave the row out.",
    "too_few_examples": "Add rows.",
    "tool_arguments_invalid_json": "Write the arguments of the call as a JSON object in a string.",
    "tool_call_without_result": "Add a message of the role 'tool' for each call, right behind it.",
    "tool_result_without_call": "Add the call that it answers before it, or leave the message out.",
    "unrecognized_key": "Leave it out.",
    "unrecognized_role": "Use one of system, developer, user, assistant and tool.",
    "utf8_bom": "Nothing is to be done: it is taken off.",
    "invalid_value": "Write it as the format has it.",
}
_MESSAGES = ("messages",)
_MISSING, _UNKNOWN = "missing", "extra_forbidden"
_NO_LIST = {_MISSING, "list_type", "too_short"}


def code_of(finding: Any) -> str:
    """The code of one of pydantic's findings about a row."""
    kind, path = finding["type"], finding["loc"]
    if kind in REMEDIES:
        return str(kind)
    if path == _MESSAGES and kind in _NO_LIST:
        return "missing_messages_list"
    if kind == "union_tag_invalid":
        return "unrecognized_role" if "role" in str(finding.get("ctx", {}).get("discriminator")) else "invalid_value"
    if kind in {_MISSING, "union_tag_not_found"}:
        return "message_missing_key" if len(path) > 1 else "missing_key"
    if kind == _UNKNOWN:
        return "message_unrecognized_key" if len(path) > 1 else "unrecognized_key"
    if "weight" in path:
        return "bad_weight"
    return "missing_content" if "content" in path else "invalid_value"
