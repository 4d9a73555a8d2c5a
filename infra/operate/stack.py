"""A deployed stack as CloudFormation knows it."""

from __future__ import annotations

from typing import Any


def resources(cloudformation: Any, stack: str) -> dict[str, str]:
    """The physical ids of a stack's resources by their logical ids."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    return {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for page in pages
        for resource in page["StackResourceSummaries"]
        if "PhysicalResourceId" in resource
    }
