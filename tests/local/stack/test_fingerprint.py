from local.stack import fingerprint


def _checkout(root):
    (root / "services" / "api").mkdir(parents=True)
    (root / "services" / "api" / "handler.py").write_text("x = 1\n")
    (root / "template.yaml").write_text("Resources: {}\n")
    (root / "uv.lock").write_text("")
    return root


def test_the_same_sources_have_the_same_fingerprint(tmp_path):
    first, other = _checkout(tmp_path / "one"), _checkout(tmp_path / "other")
    assert fingerprint.sources(first) == fingerprint.sources(other)


def test_every_byte_and_every_name_counts(tmp_path):
    root = _checkout(tmp_path)
    seen = {fingerprint.sources(root)}
    (root / "services" / "api" / "handler.py").write_text("x = 2\n")
    seen.add(fingerprint.sources(root))
    (root / "services" / "api" / "handler.py").rename(root / "services" / "api" / "other.py")
    seen.add(fingerprint.sources(root))
    (root / "template.yaml").write_text("Resources: {A: {}}\n")
    seen.add(fingerprint.sources(root))
    assert len(seen) == 4


def test_byte_code_does_not_count(tmp_path):
    root = _checkout(tmp_path)
    before = fingerprint.sources(root)
    (root / "services" / "api" / "__pycache__").mkdir()
    (root / "services" / "api" / "__pycache__" / "handler.pyc").write_text("")
    assert fingerprint.sources(root) == before


def test_the_lab_counts_for_the_processes_and_not_for_the_deploy(tmp_path):
    root = _checkout(tmp_path)
    before = fingerprint.sources(root), fingerprint.processes(root)
    (root / "local" / "lab").mkdir(parents=True)
    (root / "local" / "lab" / "app.py").write_text("")
    assert fingerprint.sources(root) == before[0]
    assert fingerprint.processes(root) != before[1]
