// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "archive/members.hpp"
#include "core/sha256.hpp"
#include "hl7/charset.hpp"
#include "hl7/framer.hpp"
#include "hl7/message.hpp"
#include "hl7/seen.hpp"
#include "hl7/time.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace waybill::hl7 {

/// Where a message was found and what orders it among the others.
struct Origin {
  std::string_view file;     ///< path_to_text form; members of containers behind "%/"
  std::uint64_t offset = 0;  ///< of its first byte, in the inflated or converted stream
  Time time = 0;             ///< MSH-7; 0 when it gives none
  bool timed = false;
  std::string control_id;  ///< MSH-10
};

/// Something of a file that could not be used as it should be; the text holds no patient's data.
struct Problem {
  std::string file;
  std::uint64_t offset = 0;
  std::string reason;
  bool lost = true;         ///< a message was not read; otherwise a remark
  std::uint64_t times = 1;  ///< how often in this file; `offset` is the first
};

/// pieces that begin a message == messages + duplicates + bad
struct IntakeCounts {
  std::uint64_t files = 0, bytes = 0, pieces = 0, messages = 0, duplicates = 0, bad = 0, reused_ids = 0, untimed = 0;
  bool operator==(const IntakeCounts&) const = default;
};

/// Reads HL7 from files and folders of every shape and gives each message once, in the order of the files. Compressed
/// files (gzip, bzip2, xz, zstd) are read as streams, members of zip and tar and the records of a journal of
/// waybill listen one by one, containers within containers too; folders are walked in order of names. A message that
/// repeats an earlier one byte for byte is a duplicate; the same control ID with other content is a message of its own
/// (and a remark). What cannot be read is a Problem, never the end of the run. Not for sharing between threads.
class Intake {
 public:
  using OnMessage = std::function<void(Message&, const Origin&)>;
  explicit Intake(OnMessage on_message, std::size_t largest = Framer::kLargest);

  /// What becomes of some messages in a row.
  class Part {
   public:
    virtual ~Part() = default;
    virtual void see(Message& message, const Origin& origin) = 0;  ///< in order, on any one thread
    virtual void keep() = 0;  ///< on the thread of read(), part by part in the order of the files
  };
  using MakePart = std::function<std::unique_ptr<Part>()>;
  /// Splits and reads messages on all threads that TBB may use; what comes out is the same for any number of them.
  explicit Intake(MakePart make_part, std::size_t largest = Framer::kLargest);
  ~Intake();

  /// Files, folders, and pipes that are named themselves; "-" is standard input. Throws RunError(Exit::input) for a
  /// path that does not exist.
  void read(const std::vector<std::string>& paths);
  /// One stream that is in memory, under a name.
  void read_bytes(const std::string& name, std::string_view bytes);

  [[nodiscard]] const IntakeCounts& counts() const noexcept { return counts_; }
  /// SHA-256 over the bytes of all pieces in order: what was read, whatever the files are called.
  [[nodiscard]] Digest digest() { return sha_.finish(); }
  /// In the order of files and offsets.
  [[nodiscard]] const std::vector<Problem>& problems() const noexcept { return problems_; }

 private:
  struct Item;
  class Batch;
  using Chunks = std::function<bool(std::string_view&)>;  // the next bytes; false at the end
  Intake(MakePart make_part, bool parallel, std::size_t largest);
  void walk(const std::vector<std::string>& paths);
  void read_file(const std::string& path);
  void read_members(Result<archive::Members> members, int depth);
  void read_manifest(const std::string& path);
  void read_stream(const Chunks& next,
                   const bool* damaged = nullptr);  // `damaged`: whether `next` ended before its time
  void read_named(const std::string& name, std::string_view bytes);
  void begin_file(const std::string& name);
  void end_file();
  void take(const Piece& piece);
  void take_message(const Piece& piece);
  void problem(std::uint64_t offset, std::string reason, bool lost);
  Item& add_item();
  void submit();
  void finish(const Batch& batch);
  void remark(const std::string& file, std::uint64_t offset, const std::string& reason);

  MakePart make_part_;
  std::size_t largest_;
  Seen contents_;
  SeenIds ids_;
  Sha256 sha_;
  IntakeCounts counts_;
  std::vector<Problem> problems_;
  std::string file_;
  std::uint64_t pieces_before_ = 0;
  std::map<std::string, std::size_t> remarks_;  // of the file at hand, by reason: index into problems_
  std::unique_ptr<Batch> batch_;                // being filled
  struct Queue;
  std::unique_ptr<Queue> queue_;
};

}  // namespace waybill::hl7
