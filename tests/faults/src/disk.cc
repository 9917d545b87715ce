// A disk under RocksDB that loses power, or refuses an operation, at a number counted here.
//
// Two layers over the real file system. The lower one is RocksDB's own FaultInjectionTestFS: what
// is appended reaches the file only when it is synced, and it knows which names no directory sync
// has made durable. The upper one counts every operation and decides which of them happens.

#include <cstdio>
#include <cstring>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>

#include "rocksdb/env.h"
#include "rocksdb/file_system.h"
#include "utilities/fault_injection_fs.h"

// As in RocksDB's C interface, which frees it.
struct rocksdb_env_t {
  rocksdb::Env* rep;
  bool is_default;
};

namespace {

using namespace rocksdb;  // NOLINT: this file is about nothing else

class OpenFile;

// What the file system of one disk and its files share.
struct Power {
  std::mutex mutex;
  std::shared_ptr<FaultInjectionTestFS> lower;
  std::set<OpenFile*> open;
  std::mt19937_64 dice;
  uint64_t count = 0;
  uint64_t cut_at = 0;
  uint64_t fail_from = 0;
  uint64_t fail_to = 0;
  bool off = false;
  bool wal_syncs_ignored = false;
  // The operation that was cut or refused first.
  std::string event;

  IOStatus Pass(const char* what, const std::string& path);
  void SwitchOff();
};

std::string Name(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

bool IsWal(const std::string& path) { return path.ends_with(".log"); }

// A file open for writing.
class OpenFile : public FSWritableFileOwnerWrapper {
 public:
  OpenFile(std::unique_ptr<FSWritableFile>&& file, std::string path,
           std::shared_ptr<Power> power)
      : FSWritableFileOwnerWrapper(std::move(file)),
        path_(std::move(path)),
        power_(std::move(power)) {
    std::lock_guard<std::mutex> lock(power_->mutex);
    power_->open.insert(this);
  }
  ~OpenFile() override {
    std::lock_guard<std::mutex> lock(power_->mutex);
    power_->open.erase(this);
  }

  IOStatus Append(const Slice& data, const IOOptions& options,
                  IODebugContext* dbg) override {
    IOStatus s = power_->Pass("append", path_);
    if (!s.ok()) {
      // A refused write may have done half of its work.
      if (!power_->off) {
        Slice half(data.data(), data.size() / 2);
        target()->Append(half, options, dbg).PermitUncheckedError();
        unsynced_ += half.size();
      }
      return s;
    }
    unsynced_ += data.size();
    return target()->Append(data, options, dbg);
  }
  IOStatus Append(const Slice& data, const IOOptions& options,
                  const DataVerificationInfo&, IODebugContext* dbg) override {
    return Append(data, options, dbg);
  }
  IOStatus Truncate(uint64_t size, const IOOptions& options,
                    IODebugContext* dbg) override {
    IOStatus s = power_->Pass("truncate", path_);
    return s.ok() ? target()->Truncate(size, options, dbg) : s;
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* dbg) override {
    IOStatus s = power_->Pass("sync", path_);
    if (!s.ok() || Ignored()) {
      return s;
    }
    synced_ += unsynced_;
    unsynced_ = 0;
    return target()->Sync(options, dbg);
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* dbg) override {
    return Sync(options, dbg);
  }
  IOStatus RangeSync(uint64_t, uint64_t, const IOOptions&,
                     IODebugContext*) override {
    // Only a hint that writing may begin; nothing may rely on it.
    return power_->Pass("range sync", path_);
  }
  IOStatus Close(const IOOptions& options, IODebugContext* dbg) override {
    IOStatus s = power_->Pass("close", path_);
    // The descriptor is gone either way.
    IOStatus closed = target()->Close(options, dbg);
    return s.ok() ? closed : s;
  }

  // At the cut: some first part of what was not synced is on disk all the same.
  void Tear(std::mt19937_64& dice) {
    const uint64_t kept = unsynced_ == 0 ? 0 : dice() % (unsynced_ + 1);
    if (kept > 0) {
      target()
          ->RangeSync(synced_, kept, IOOptions(), nullptr)
          .PermitUncheckedError();
    }
  }

 private:
  bool Ignored() const { return power_->wal_syncs_ignored && IsWal(path_); }

  const std::string path_;
  const std::shared_ptr<Power> power_;
  std::atomic<uint64_t> synced_ = 0;
  std::atomic<uint64_t> unsynced_ = 0;
};

void Power::SwitchOff() {
  off = true;
  for (OpenFile* file : open) {
    file->Tear(dice);
  }
  lower->SetFilesystemActive(false, IOStatus::IOError("no power"));
}

IOStatus Power::Pass(const char* what, const std::string& path) {
  std::lock_guard<std::mutex> lock(mutex);
  if (off) {
    return IOStatus::IOError("no power", Name(path));
  }
  count++;
  const bool refused = fail_from <= count && count <= fail_to;
  if (count != cut_at && !refused) {
    return IOStatus::OK();
  }
  if (event.empty()) {
    event = std::string(what) + " " + Name(path);
  }
  if (count == cut_at) {
    SwitchOff();
    return IOStatus::IOError("no power", Name(path));
  }
  return IOStatus::IOError(std::string("refused ") + what, Name(path));
}

class SequentialFile : public FSSequentialFileOwnerWrapper {
 public:
  SequentialFile(std::unique_ptr<FSSequentialFile>&& file, std::string path,
                 std::shared_ptr<Power> power)
      : FSSequentialFileOwnerWrapper(std::move(file)),
        path_(std::move(path)),
        power_(std::move(power)) {}
  IOStatus Read(size_t n, const IOOptions& options, Slice* result,
                char* scratch, IODebugContext* dbg) override {
    IOStatus s = power_->Pass("read", path_);
    return s.ok() ? target()->Read(n, options, result, scratch, dbg) : s;
  }
  IOStatus PositionedRead(uint64_t offset, size_t n, const IOOptions& options,
                          Slice* result, char* scratch,
                          IODebugContext* dbg) override {
    IOStatus s = power_->Pass("read", path_);
    return s.ok() ? target()->PositionedRead(offset, n, options, result,
                                             scratch, dbg)
                  : s;
  }

 private:
  const std::string path_;
  const std::shared_ptr<Power> power_;
};

class RandomAccessFile : public FSRandomAccessFileOwnerWrapper {
 public:
  RandomAccessFile(std::unique_ptr<FSRandomAccessFile>&& file, std::string path,
                   std::shared_ptr<Power> power)
      : FSRandomAccessFileOwnerWrapper(std::move(file)),
        path_(std::move(path)),
        power_(std::move(power)) {}
  IOStatus Read(uint64_t offset, size_t n, const IOOptions& options,
                Slice* result, char* scratch,
                IODebugContext* dbg) const override {
    IOStatus s = power_->Pass("read", path_);
    return s.ok() ? target()->Read(offset, n, options, result, scratch, dbg)
                  : s;
  }
  IOStatus MultiRead(FSReadRequest* requests, size_t n,
                     const IOOptions& options, IODebugContext* dbg) override {
    IOStatus s = power_->Pass("read", path_);
    return s.ok() ? target()->MultiRead(requests, n, options, dbg) : s;
  }
  IOStatus Prefetch(uint64_t offset, size_t n, const IOOptions& options,
                    IODebugContext* dbg) override {
    IOStatus s = power_->Pass("read", path_);
    return s.ok() ? target()->Prefetch(offset, n, options, dbg) : s;
  }

 private:
  const std::string path_;
  const std::shared_ptr<Power> power_;
};

class Directory : public FSDirectoryWrapper {
 public:
  Directory(std::unique_ptr<FSDirectory>&& directory, std::string path,
            std::shared_ptr<Power> power)
      : FSDirectoryWrapper(directory.get()),
        own_(std::move(directory)),
        path_(std::move(path)),
        power_(std::move(power)) {}
  IOStatus Fsync(const IOOptions& options, IODebugContext* dbg) override {
    IOStatus s = power_->Pass("sync of folder", path_);
    return s.ok() ? own_->Fsync(options, dbg) : s;
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* dbg,
                               const DirFsyncOptions& how) override {
    IOStatus s = power_->Pass("sync of folder", path_);
    return s.ok() ? own_->FsyncWithDirOptions(options, dbg, how) : s;
  }

 private:
  const std::unique_ptr<FSDirectory> own_;
  const std::string path_;
  const std::shared_ptr<Power> power_;
};

// The upper layer.
class Counting : public FileSystemWrapper {
 public:
  explicit Counting(std::shared_ptr<Power> power)
      : FileSystemWrapper(power->lower), power_(std::move(power)) {}
  const char* Name() const override { return "ZhaoFaults"; }

  IOStatus NewSequentialFile(const std::string& f, const FileOptions& options,
                             std::unique_ptr<FSSequentialFile>* result,
                             IODebugContext* dbg) override {
    IOStatus s = power_->Pass("open", f);
    if (s.ok()) {
      s = target()->NewSequentialFile(f, options, result, dbg);
    }
    if (s.ok()) {
      result->reset(new SequentialFile(std::move(*result), f, power_));
    }
    return s;
  }
  IOStatus NewRandomAccessFile(const std::string& f, const FileOptions& options,
                               std::unique_ptr<FSRandomAccessFile>* result,
                               IODebugContext* dbg) override {
    IOStatus s = power_->Pass("open", f);
    if (s.ok()) {
      s = target()->NewRandomAccessFile(f, options, result, dbg);
    }
    if (s.ok()) {
      result->reset(new RandomAccessFile(std::move(*result), f, power_));
    }
    return s;
  }
  IOStatus NewWritableFile(const std::string& f, const FileOptions& options,
                           std::unique_ptr<FSWritableFile>* result,
                           IODebugContext* dbg) override {
    IOStatus s = power_->Pass("create", f);
    if (s.ok()) {
      s = target()->NewWritableFile(f, options, result, dbg);
    }
    return Wrap(s, f, result);
  }
  IOStatus ReopenWritableFile(const std::string& f, const FileOptions& options,
                              std::unique_ptr<FSWritableFile>* result,
                              IODebugContext* dbg) override {
    IOStatus s = power_->Pass("reopen", f);
    if (s.ok()) {
      s = target()->ReopenWritableFile(f, options, result, dbg);
    }
    return Wrap(s, f, result);
  }
  IOStatus ReuseWritableFile(const std::string& f, const std::string& old,
                             const FileOptions& options,
                             std::unique_ptr<FSWritableFile>* result,
                             IODebugContext* dbg) override {
    IOStatus s = power_->Pass("reuse", f);
    if (s.ok()) {
      s = target()->ReuseWritableFile(f, old, options, result, dbg);
    }
    return Wrap(s, f, result);
  }
  IOStatus NewDirectory(const std::string& f, const IOOptions& options,
                        std::unique_ptr<FSDirectory>* result,
                        IODebugContext* dbg) override {
    IOStatus s = power_->Pass("open folder", f);
    if (s.ok()) {
      s = target()->NewDirectory(f, options, result, dbg);
    }
    if (s.ok()) {
      result->reset(new Directory(std::move(*result), f, power_));
    }
    return s;
  }
  IOStatus FileExists(const std::string& f, const IOOptions& options,
                      IODebugContext* dbg) override {
    IOStatus s = power_->Pass("look for", f);
    return s.ok() ? target()->FileExists(f, options, dbg) : s;
  }
  IOStatus GetChildren(const std::string& f, const IOOptions& options,
                       std::vector<std::string>* result,
                       IODebugContext* dbg) override {
    IOStatus s = power_->Pass("list", f);
    return s.ok() ? target()->GetChildren(f, options, result, dbg) : s;
  }
  IOStatus DeleteFile(const std::string& f, const IOOptions& options,
                      IODebugContext* dbg) override {
    IOStatus s = power_->Pass("delete", f);
    return s.ok() ? target()->DeleteFile(f, options, dbg) : s;
  }
  IOStatus CreateDir(const std::string& f, const IOOptions& options,
                     IODebugContext* dbg) override {
    IOStatus s = power_->Pass("create folder", f);
    return s.ok() ? target()->CreateDir(f, options, dbg) : s;
  }
  IOStatus CreateDirIfMissing(const std::string& f, const IOOptions& options,
                              IODebugContext* dbg) override {
    IOStatus s = power_->Pass("create folder", f);
    return s.ok() ? target()->CreateDirIfMissing(f, options, dbg) : s;
  }
  IOStatus GetFileSize(const std::string& f, const IOOptions& options,
                       uint64_t* size, IODebugContext* dbg) override {
    IOStatus s = power_->Pass("size of", f);
    return s.ok() ? target()->GetFileSize(f, options, size, dbg) : s;
  }
  IOStatus RenameFile(const std::string& from, const std::string& to,
                      const IOOptions& options, IODebugContext* dbg) override {
    IOStatus s = power_->Pass("rename to", to);
    return s.ok() ? target()->RenameFile(from, to, options, dbg) : s;
  }
  IOStatus LinkFile(const std::string& from, const std::string& to,
                    const IOOptions& options, IODebugContext* dbg) override {
    IOStatus s = power_->Pass("link", to);
    return s.ok() ? target()->LinkFile(from, to, options, dbg) : s;
  }
  IOStatus SyncFile(const std::string& f, const FileOptions& options,
                    const IOOptions& io, bool fsync,
                    IODebugContext* dbg) override {
    // In pieces, so that each is counted.
    return FileSystem::SyncFile(f, options, io, fsync, dbg);
  }
  IOStatus LockFile(const std::string& f, const IOOptions& options,
                    FileLock** lock, IODebugContext* dbg) override {
    IOStatus s = power_->Pass("lock", f);
    return s.ok() ? target()->LockFile(f, options, lock, dbg) : s;
  }

 private:
  IOStatus Wrap(IOStatus s, const std::string& path,
                std::unique_ptr<FSWritableFile>* file) {
    if (s.ok()) {
      file->reset(new OpenFile(std::move(*file), path, power_));
    }
    return s;
  }

  const std::shared_ptr<Power> power_;
};

}  // namespace

struct zhao_disk {
  std::shared_ptr<Power> power;
  std::shared_ptr<Counting> upper;
};

extern "C" {

zhao_disk* zhao_disk_new() {
  auto power = std::make_shared<Power>();
  power->lower =
      std::make_shared<FaultInjectionTestFS>(rocksdb::FileSystem::Default());
  power->lower->SetInjectUnsyncedDataLoss(true);
  return new zhao_disk{power, std::make_shared<Counting>(power)};
}

void zhao_disk_free(zhao_disk* disk) { delete disk; }

rocksdb_env_t* zhao_disk_env(zhao_disk* disk) {
  return new rocksdb_env_t{rocksdb::NewCompositeEnv(disk->upper).release(),
                           false};
}

uint64_t zhao_disk_count(zhao_disk* disk) {
  std::lock_guard<std::mutex> lock(disk->power->mutex);
  return disk->power->count;
}

void zhao_disk_cut_at(zhao_disk* disk, uint64_t operation, uint64_t seed) {
  std::lock_guard<std::mutex> lock(disk->power->mutex);
  disk->power->cut_at = operation;
  disk->power->dice.seed(seed);
}

void zhao_disk_fail(zhao_disk* disk, uint64_t from, uint64_t to) {
  std::lock_guard<std::mutex> lock(disk->power->mutex);
  disk->power->fail_from = from;
  disk->power->fail_to = to;
}

void zhao_disk_ignore_wal_syncs(zhao_disk* disk) {
  std::lock_guard<std::mutex> lock(disk->power->mutex);
  disk->power->wal_syncs_ignored = true;
}

bool zhao_disk_is_off(zhao_disk* disk) {
  std::lock_guard<std::mutex> lock(disk->power->mutex);
  return disk->power->off;
}

// An operation outside the engine. Returns whether it may happen.
bool zhao_disk_pass(zhao_disk* disk, const char* what, size_t length) {
  const std::string name(what, length);
  return disk->power->Pass("step", name).ok();
}

void zhao_disk_switch_off(zhao_disk* disk) {
  std::lock_guard<std::mutex> lock(disk->power->mutex);
  if (!disk->power->off) {
    disk->power->SwitchOff();
  }
}

// Copies the name of the operation that was hit, without a final zero. Returns its length.
size_t zhao_disk_event(zhao_disk* disk, char* to, size_t room) {
  std::lock_guard<std::mutex> lock(disk->power->mutex);
  const std::string& event = disk->power->event;
  const size_t length = std::min(event.size(), room);
  std::memcpy(to, event.data(), length);
  return length;
}

// Leaves on the real file system what a machine finds after the cut. No database may be open.
bool zhao_disk_lose(zhao_disk* disk) {
  auto& lower = disk->power->lower;
  lower->SetFilesystemActive(true);
  return lower->DropUnsyncedFileData().ok() &&
         lower
             ->DeleteFilesCreatedAfterLastDirSync(rocksdb::IOOptions(),
                                                  nullptr)
             .ok();
}

}  // extern "C"
