//! The calls there are, what each needs the right to do, and what each is charged as.

/// How a call is charged, by
/// <https://www.backblaze.com/cloud-storage/transaction-pricing> (as of 2026).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Free.
    A,
    /// 2,500 a day are free, then $0.004 for 10,000; and what is downloaded.
    B,
    /// 2,500 a day are free, then $0.004 for 1,000.
    C,
}

macro_rules! calls {
    ($($variant:ident, $name:literal, $class:ident, $right:expr;)*) => {
        /// A call of the native API.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "each is B2's own call of that name")]
        pub enum Call { $($variant,)* }

        impl Call {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// B2's own name for it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// How it is charged.
            pub fn class(self) -> Class {
                match self { $(Self::$variant => Class::$class,)* }
            }

            /// The capability that a key needs for it, by
            /// <https://www.backblaze.com/docs/cloud-storage-application-key-capabilities>. `None`
            /// where the call brings an authorization of its own.
            pub fn capability(self) -> Option<&'static str> {
                match self { $(Self::$variant => $right,)* }
            }
        }
    };
}

calls! {
    AuthorizeAccount, "b2_authorize_account", C, None;
    CancelLargeFile, "b2_cancel_large_file", A, Some("writeFiles");
    CopyFile, "b2_copy_file", C, Some("writeFiles");
    CopyPart, "b2_copy_part", C, Some("writeFiles");
    CreateBucket, "b2_create_bucket", C, Some("writeBuckets");
    CreateKey, "b2_create_key", C, Some("writeKeys");
    DeleteBucket, "b2_delete_bucket", A, Some("deleteBuckets");
    DeleteFileVersion, "b2_delete_file_version", A, Some("deleteFiles");
    DeleteKey, "b2_delete_key", A, Some("deleteKeys");
    DownloadFileById, "b2_download_file_by_id", B, Some("readFiles");
    DownloadFileByName, "b2_download_file_by_name", B, Some("readFiles");
    FinishLargeFile, "b2_finish_large_file", A, Some("writeFiles");
    GetDownloadAuthorization, "b2_get_download_authorization", C, Some("shareFiles");
    GetFileInfo, "b2_get_file_info", B, Some("readFiles");
    GetUploadPartUrl, "b2_get_upload_part_url", A, Some("writeFiles");
    GetUploadUrl, "b2_get_upload_url", A, Some("writeFiles");
    HideFile, "b2_hide_file", A, Some("writeFiles");
    ListBuckets, "b2_list_buckets", C, Some("listBuckets");
    ListFileNames, "b2_list_file_names", C, Some("listFiles");
    ListFileVersions, "b2_list_file_versions", C, Some("listFiles");
    ListKeys, "b2_list_keys", C, Some("listKeys");
    ListParts, "b2_list_parts", C, Some("writeFiles");
    ListUnfinishedLargeFiles, "b2_list_unfinished_large_files", C, Some("listFiles");
    StartLargeFile, "b2_start_large_file", A, Some("writeFiles");
    UpdateBucket, "b2_update_bucket", C, Some("writeBuckets");
    UploadFile, "b2_upload_file", A, None;
    UploadPart, "b2_upload_part", A, None;
}

impl Call {
    /// The call of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|call| call.name() == name)
    }
}
