import pytest

from distillations import lineage
from distillations.lineage import Node
from foundation import aws
from foundation.settings import settings

pytestmark = pytest.mark.usefixtures("cloud")

DATASET, JOB, MODEL = Node("dataset", "ds_1"), Node("job", "ftjob-1"), Node("model", "ft:base:lab:x#y:job")
RUN, OTHER_RUN, VERDICT = Node("run", "evalrun_1"), Node("run", "evalrun_2"), Node("verdict", "verdict_1")
CHAIN = [(DATASET, JOB), (JOB, MODEL), (MODEL, RUN), (RUN, VERDICT), (OTHER_RUN, VERDICT)]


def sides(start):
    return {node["id"]: node["side"] for node in lineage.graph(start)["nodes"]}


def edges(start):
    return {(edge["from"], edge["to"]) for edge in lineage.graph(start)["edges"]}


def test_a_walk_in_both_directions_from_the_middle():
    lineage.link(CHAIN)
    assert sides(MODEL.id) == {
        MODEL.id: "start",
        RUN.id: "down",
        VERDICT.id: "down",
        JOB.id: "up",
        DATASET.id: "up",
    }
    assert edges(MODEL.id) == {(source.id, target.id) for source, target in CHAIN[:4]}


def test_nodes_say_what_they_are():
    lineage.link(CHAIN)
    kinds = {node["id"]: node["kind"] for node in lineage.graph(VERDICT.id)["nodes"]}
    assert kinds == {node.id: node.kind for edge in CHAIN for node in edge}


def test_the_ends_of_the_graph():
    lineage.link(CHAIN)
    assert set(sides(DATASET.id).values()) == {"start", "down"}
    assert set(sides(VERDICT.id).values()) == {"start", "up"}
    assert sides(VERDICT.id)[OTHER_RUN.id] == "up"
    assert OTHER_RUN.id not in sides(DATASET.id), "what a descendant came from besides is no relation"


def test_linking_again_changes_nothing():
    lineage.link(CHAIN)
    before = aws.dynamodb().scan(TableName=settings().TABLE)["Items"]
    graph = lineage.graph(MODEL.id)
    lineage.link(reversed(CHAIN))
    assert sorted(map(str, aws.dynamodb().scan(TableName=settings().TABLE)["Items"])) == sorted(map(str, before))
    assert lineage.graph(MODEL.id) == graph


def test_a_completion_leads_down_to_everything_that_learnt_from_it():
    lineage.link(CHAIN)
    lineage.link_completions([f"chatcmpl-{number}" for number in range(120)], DATASET)
    lineage.link_completions(["chatcmpl-7"], Node("file", "file-1"))
    assert sides("chatcmpl-7") == {
        "chatcmpl-7": "start",
        DATASET.id: "down",
        "file-1": "down",
        JOB.id: "down",
        MODEL.id: "down",
        RUN.id: "down",
        VERDICT.id: "down",
    }
    assert "file-1" not in sides("chatcmpl-119")
    assert ("chatcmpl-7", DATASET.id) in edges("chatcmpl-7")


def test_a_dataset_s_completions_are_not_walked_upwards():
    lineage.link(CHAIN)
    lineage.link_completions(["chatcmpl-1"], DATASET)
    assert "chatcmpl-1" not in sides(MODEL.id)


def test_an_unknown_id_has_no_graph():
    lineage.link(CHAIN)
    assert lineage.graph("nothing") == lineage.graph("") == {"nodes": [], "edges": [], "has_more": False}


def test_of_many_the_nearest_are_shown_and_the_other_side_is_whole():
    many = [Node("run", f"evalrun_{number:04d}") for number in range(520)]
    lineage.link([(MODEL, run) for run in many] + [(run, VERDICT) for run in many] + [(JOB, MODEL)])
    graph = lineage.graph(MODEL.id)
    ids = {node["id"] for node in graph["nodes"]}
    assert (len(ids), graph["has_more"], JOB.id in ids) == (502, True, True)
    assert lineage.graph(JOB.id)["has_more"]
    assert not lineage.graph(many[0].id)["has_more"]


def test_paths_that_meet_again_and_circles_end():
    left, right = Node("run", "left"), Node("run", "right")
    lineage.link([(MODEL, left), (MODEL, right), (left, VERDICT), (right, VERDICT)])
    assert len(lineage.graph(MODEL.id)["nodes"]) == 4
    assert len(lineage.graph(MODEL.id)["edges"]) == 4
    lineage.link([(VERDICT, MODEL)])
    assert len(lineage.graph(MODEL.id)["nodes"]) == 4
