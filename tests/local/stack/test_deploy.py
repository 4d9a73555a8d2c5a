from local.stack import deploy, fingerprint
from local.stack.layout import Layout


def test_a_build_of_these_very_sources_is_not_repeated(tmp_path):
    layout = Layout(tmp_path)
    (tmp_path / "template.yaml").write_text("Resources: {}\n")
    layout.built.mkdir(parents=True)
    layout.built.with_name("fingerprint").write_text(fingerprint.sources(tmp_path))
    collected = []
    assert deploy.build(layout, collected.append) == fingerprint.sources(tmp_path)
    assert collected == ["build: unchanged"]
    assert not layout.log("sam").exists()
