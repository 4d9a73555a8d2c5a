"""A deployed stack as CloudFormation knows it."""

from __future__ import annotations

import sys
from typing import Any

from botocore.exceptions import ClientError


def resources(cloudformation: Any, stack: str) -> dict[str, str]:
    """The physical ids of a stack's resources by their logical ids, without those that a rollback deleted."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    return {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for page in pages
        for resource in page["StackResourceSummaries"]
        if "PhysicalResourceId" in resource and resource.get("ResourceStatus") != "DELETE_COMPLETE"
    }


def resources_or_exit(cloudformation: Any, stack: str) -> dict[str, str]:
    """The same for a command, which ends with a line where there is no such stack or it may not be read."""
    try:
        return resources(cloudformation, stack)
    except ClientError as error:
        sys.exit(f"{stack} cannot be read, is it the right STACK and REGION? {error}")
