//! Compiles the disk that fails against the headers of the very RocksDB that is linked: its build
//! script says where they are, whether it compiled the library or took a kept one.

use std::path::PathBuf;

#[expect(
    clippy::disallowed_methods,
    reason = "cargo talks to build scripts through the environment"
)]
fn told(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("cargo sets {variable}"))
}

fn main() {
    println!("cargo::rerun-if-changed=src/disk.cc");
    println!("cargo::rerun-if-changed=build.rs");
    let system = told("CARGO_CFG_TARGET_OS");
    assert!(system == "linux", "no faults on {system}: Linux only");
    let source = PathBuf::from(told("DEP_ROCKSDB_CARGO_MANIFEST_DIR")).join("rocksdb");
    // As librocksdb-sys compiles the library: other definitions would change its classes.
    cc::Build::new()
        .cpp(true)
        .std("c++20")
        .include(source.join("include"))
        .include(&source)
        .define("NDEBUG", "1")
        .define("HAVE_ALIGNED_NEW", None)
        .define("HAVE_UINT128_EXTENSION", None)
        .define("OS_LINUX", None)
        .define("ROCKSDB_PLATFORM_POSIX", None)
        .define("ROCKSDB_LIB_IO_POSIX", None)
        .flag("-include")
        .flag("cstdint")
        .warnings(false)
        .file("src/disk.cc")
        .compile("zhao_faults_disk");
}
