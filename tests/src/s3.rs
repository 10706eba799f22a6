//! A server that speaks S3's protocol and checks its signatures: `s3s`, which is none of ours.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
};

const KEY: &str = "AKIAEXAMPLE";
const SECRET: &str = "a secret key";

/// A server with one bucket, `files`.
pub struct S3 {
    address: SocketAddr,
    folder: tempfile::TempDir,
    serving: JoinHandle<()>,
}

impl S3 {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("files")).expect("a bucket");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let serving = tokio::spawn(serve(listener, folder.path().to_owned()));
        Self { address, folder, serving }
    }

    /// The settings that lead to the bucket, below `some/prefix`.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("STORAGE_URL", "s3://files/some/prefix".to_owned()),
            ("AWS_ENDPOINT_URL", format!("http://{}", self.address)),
            ("AWS_ACCESS_KEY_ID", KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
        ]
    }

    /// Where it keeps an object.
    pub fn object(&self, key: &str) -> PathBuf {
        self.folder.path().join("files").join(key)
    }

    /// How many objects there are.
    pub fn objects(&self) -> usize {
        files(&self.folder.path().join("files"))
    }

    /// How much else there is: parts of unfinished objects, and what the server notes about them.
    pub fn unfinished(&self) -> usize {
        files(self.folder.path()) - self.objects()
    }

    /// Ends every connection and takes no more.
    pub fn stop(&self) {
        self.serving.abort();
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        self.stop();
    }
}

/// How many files lie in a folder and below, the hidden ones too.
pub fn files(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| if entry.path().is_dir() { files(&entry.path()) } else { 1 }).sum()
}

async fn serve(listener: TcpListener, root: PathBuf) {
    let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(root).expect("a storage"));
    service.set_auth(SimpleAuth::from_single(KEY, SECRET));
    let service = service.build().into_shared();
    // They end with this task.
    let mut connections = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        let service = service.clone();
        connections.spawn(async move {
            let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), service).await;
        });
    }
}
