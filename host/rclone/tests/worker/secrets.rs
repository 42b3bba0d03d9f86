use copal_rclone::{ListRequest, RcloneError, Remote};
use serde_json::json;

use crate::world::{PATIENCE, World};

const KEY: &str = "K0015hunter2";

fn assert_hidden(error: &RcloneError) {
    for shown in [error.to_string(), format!("{error:?}")] {
        assert!(!shown.contains(KEY), "{shown}");
    }
}

pub(crate) fn a_key_in_a_connection_string_shows_in_no_error(world: &World) {
    let worker = world.worker();
    let texts = [
        format!(":b2,account=A,key={KEY},endpoint='http://127.0.0.1:1':bucket"),
        format!(":b2,account=A,key={KEY},chunk_size=potato:bucket"),
        format!(":nope,key={KEY}:bucket"),
        format!(":s3,provider=Other,secret_access_key={KEY},endpoint='http://127.0.0.1:1':b"),
        format!(":sftp,host=127.0.0.1,port=1,user=u,pass={KEY}:x"),
        format!(":webdav,url='http://u:{KEY}@127.0.0.1:1/':x"),
    ];
    for text in texts {
        let remote: Remote = text.parse().unwrap();
        assert!(!format!("{remote} {remote:?}").contains(KEY));
        let mut request = world.copy_of(&["a"]);
        request.destination = remote.clone();
        let listed = worker.list(&ListRequest::of(remote), PATIENCE);
        assert_hidden(&listed.unwrap_err());
        if let Err(error) = worker
            .start_copy(request)
            .and_then(|job| job.wait(std::time::Duration::from_millis(5), |_| {}))
        {
            assert_hidden(&error);
        }
    }
}

pub(crate) fn a_key_in_a_raw_call_shows_in_no_error(world: &World) {
    let worker = world.worker();
    let input = json!({ "fs": { "type": "b2", "key": KEY, "chunk_size": "potato" }, "remote": "" });
    assert_hidden(&worker.rpc("operations/list", &input, PATIENCE).unwrap_err());
}
