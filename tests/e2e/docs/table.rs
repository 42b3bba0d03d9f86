//! Which commands of the pages are not run, and which are run in other words.

/// What can't be run by a test: the page, the command as it stands there, and why.
pub(super) const LEFT_OUT: &[(&str, &str, &str)] = &[
    (
        "README.md",
        "make demo",
        "builds Copal; the demo is made of what the tests of tests/kit try",
    ),
    ("README.md", "make test", "is what runs this"),
    ("README.md", "make install", RELEASE),
    ("docs/install.md", "make install", RELEASE),
    (
        "docs/install.md",
        "make install PREFIX=$HOME/.local",
        RELEASE,
    ),
    (
        "docs/install.md",
        "make install PREFIX=/usr DESTDIR=/tmp/tree",
        RELEASE,
    ),
    (
        "docs/install.md",
        "tar -xzf copal-0.1.0-linux-amd64.tar.gz",
        RELEASE,
    ),
    (
        "docs/install.md",
        "install -m 755 copal-0.1.0-linux-amd64/copal /usr/local/bin/",
        RELEASE,
    ),
    ("docs/install.md", "make deb", RELEASE),
    (
        "docs/install.md",
        "apt install ./target/dist/copal_0.1.0-1_amd64.deb",
        RELEASE,
    ),
    (
        "docs/install.md",
        "systemctl enable --now copal@open-webui.timer",
        SYSTEMD,
    ),
    (
        "docs/install.md",
        "systemctl edit copal@open-webui.timer",
        SYSTEMD,
    ),
    ("docs/install.md", "journalctl -u copal@open-webui", SYSTEMD),
    (
        "docs/install.md",
        "docker build -f packaging/Dockerfile -t copal:0.1.0 .",
        CONTAINER,
    ),
    ("docs/install.md", IN_A_CONTAINER, CONTAINER),
    ("docs/install.md", "kubectl apply -f cronjob.yaml", CLUSTER),
    ("docs/install.md", IN_A_CLUSTER, CLUSTER),
    ("docs/services.md", BESIDE_THE_ENGINE, CONTAINER),
];

const RELEASE: &str = "builds a release, for ten minutes and more, or needs one";
const SYSTEMD: &str =
    "needs a machine that systemd has started; scripts/check-packaging reads the units";
const CONTAINER: &str = "needs an image of Copal, which a release is built for";
const CLUSTER: &str =
    "needs a cluster; tests/examples/cluster.rs tries the manifest where there is one";
const IN_A_CONTAINER: &str = "docker run --rm --init -v open-webui:/source:ro -v copal-state:/var/lib/copal \
                              -v ./copal:/etc/copal:ro copal:0.1.0 backup";
const IN_A_CLUSTER: &str =
    "kubectl create job --from=cronjob/copal copal-try && kubectl logs -f job/copal-try";
const BESIDE_THE_ENGINE: &str = "docker run --volume open-webui:/data --volume \
                                 /var/run/docker.sock:/var/run/docker.sock \\\n    \
                                 --volume copal-state:/var/lib/copal …";

/// What is put in the place of a part of a command: the page, what stands there, and what is run. `{port}` is a
/// free one, `{listens}` waits until somebody listens there.
pub(super) const STAND_INS: &[(&str, &str, &str)] = &[
    // Of the four languages the one whose hook is compiled at once, from what was built before.
    ("docs/hooks.md", "--lang python", "--lang c"),
    ("docs/hooks.md", "make", "cp \"$COMPONENT\" tidy.wasm"),
    (
        "docs/hooks.md",
        "hook grant tidy 'http",
        "hook grant tidy --yes 'http",
    ),
    ("docs/hooks.md", "9000", "{port}"),
    // "In another terminal".
    (
        "docs/hooks.md",
        "serve_forever()'",
        "serve_forever()' & {listens}",
    ),
    (
        "docs/local-files.md",
        "6446a",
        "$(copal history --limit 1 | cut -d ' ' -f 4)",
    ),
    ("docs/rclone.md", "localhost:5572", "127.0.0.1:{port}"),
    (
        "docs/rclone.md",
        "copal.toml &",
        "copal.toml --rc-addr 127.0.0.1:{port} & {listens}",
    ),
    (
        "docs/restore.md",
        "--undo RUN",
        "--undo \"$(ls -d opt/*.before-* | sed 's/.*before-//')\"",
    ),
];

/// Waits for a listener at `{port}`.
pub(super) const LISTENS: &str =
    "for i in $(seq 200); do curl -s -o answer http://127.0.0.1:{port} && break; sleep 0.1; done";

/// Whether a command is left out.
pub(super) fn is_left_out(file: &str, command: &str) -> bool {
    LEFT_OUT
        .iter()
        .any(|(page, left_out, _)| (*page, *left_out) == (file, command))
}

/// A command with what stands in for parts of it.
pub(super) fn stood_in(file: &str, command: &str, port: u16) -> String {
    let of_page = STAND_INS.iter().filter(|(page, ..)| *page == file);
    of_page
        .fold(command.to_owned(), |text, (_, shown, run)| {
            text.replace(shown, run)
        })
        .replace("{listens}", LISTENS)
        .replace("{port}", &port.to_string())
}
