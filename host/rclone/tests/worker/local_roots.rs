use std::path::PathBuf;

use copal_rclone::{ErrorKind, Remote, Worker};

use crate::copy::crypt_remote;
use crate::world::{PATIENCE, World, exists};

fn roots(worker: &Worker, remote: &str) -> Vec<PathBuf> {
    let remote: Remote = remote.parse().unwrap();
    let mut roots = worker.local_roots(&remote, PATIENCE).unwrap();
    roots.sort();
    roots
}

pub(crate) fn a_local_path_is_its_own_root(world: &World) {
    let worker = world.worker();
    let dir = world.path("x");
    assert_eq!(roots(&worker, dir.to_str().unwrap()), [dir.as_path()]);
    assert_eq!(
        roots(&worker, &format!(":local:{}", dir.display())),
        [dir.as_path()]
    );
    let here = std::env::current_dir().unwrap();
    assert_eq!(roots(&worker, "some/where"), [here.join("some/where")]);
}

pub(crate) fn roots_are_found_through_alias_crypt_and_chunker(world: &World) {
    let base = world.path("base");
    let b = base.display();
    world.write(
        "rclone.conf",
        format!(
            "[al]\ntype = alias\nremote = {b}\n[ch]\ntype = chunker\nremote = al:chunks\n\
             [two]\ntype = alias\nremote = ch:in\n"
        ),
    );
    let worker = world.worker();
    assert_eq!(roots(&worker, "al:x/y"), [base.join("x/y")]);
    assert_eq!(roots(&worker, "ch:x"), [base.join("chunks/x")]);
    assert_eq!(roots(&worker, "two:x"), [base.join("chunks/in/x")]);

    let crypt = crypt_remote(world, "vault");
    let vault = world.path("vault");
    assert_eq!(
        worker.local_roots(&crypt, PATIENCE).unwrap(),
        [vault.as_path()]
    );
    let below = crypt.join("plain");
    let found = worker.local_roots(&below, PATIENCE).unwrap();
    assert_eq!(found[0].parent(), Some(vault.as_path()), "{found:?}");
    assert!(
        !found[0].ends_with("plain"),
        "the directory has an encrypted name"
    );
    worker.mkdir(&below, PATIENCE).unwrap();
    assert!(exists(&found[0]));
}

pub(crate) fn a_union_and_a_combine_have_several(world: &World) {
    let (a, b) = (world.path("a"), world.path("b"));
    world.write(
        "rclone.conf",
        format!(
            "[un]\ntype = union\nupstreams = {a}:ro {b}\n\
             [co]\ntype = combine\nupstreams = first={a} second={b} far=:b2,account=A,key=K:x\n",
            a = a.display(),
            b = b.display()
        ),
    );
    let worker = world.worker();
    assert_eq!(roots(&worker, "un:x"), [a.join("x"), b.join("x")]);
    assert_eq!(roots(&worker, "co:"), [a, b.clone()]);
    assert_eq!(roots(&worker, "co:second/deep"), [b.join("deep")]);
    assert!(roots(&worker, "co:far/deep").is_empty());
}

pub(crate) fn a_remote_elsewhere_has_none_and_is_not_asked(world: &World) {
    let worker = world.worker();
    // Nothing listens there: a question would be an error.
    let b2 = ":b2,account=A,key=K,endpoint='http://127.0.0.1:1':bucket/x";
    assert!(roots(&worker, b2).is_empty());
    let quoted = b2.replace('\'', "''");
    assert!(roots(&worker, &format!(":crypt,password=x,remote='{quoted}':y")).is_empty());
}

pub(crate) fn remotes_that_go_round_in_a_circle_are_an_error(world: &World) {
    world.write(
        "rclone.conf",
        "[a]\ntype = alias\nremote = b:\n[b]\ntype = alias\nremote = a:\n",
    );
    let worker = world.worker();
    let error = worker
        .local_roots(&"a:".parse().unwrap(), PATIENCE)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Other, "{error}");
    assert!(error.to_string().contains("circle"), "{error}");
}
