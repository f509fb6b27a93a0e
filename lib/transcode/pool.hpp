// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transcode/codecs.hpp"

#include <sys/types.h>
#include <chrono>
#include <filesystem>
#include <memory>
#include <vector>

namespace waybill::transcode {

/// What one call may take; more is a hang or a bomb. Both grow with the decoded size of the frames in it.
struct CodecLimits {
  std::uint64_t memory = std::uint64_t{256} << 20U;  ///< bytes, and 16 times the frame
  std::uint64_t seconds = 5;                         ///< of processor time, and 5 for each MiB
  std::uint64_t wall_factor = 4;                     ///< elapsed time allowed for a second of processor time
};

/// Codecs in processes of their own: a crash, a loop or a bomb in one costs a Failure (Fault::limit) and a new process.
/// One process a thread that calls at the same time; they live until the pool goes. Objects are read into memory that
/// they can read and not write, what they answer comes through shared memory. A crash is tried once more in a new
/// process, since the system may have ended the first one for its own reasons. Any thread.
class CodecPool : public Codecs {
 public:
  /// `program` is waybill_codec; see codec_program().
  /// `ahead` processes are started at once, so that they are ready when the first objects are read.
  explicit CodecPool(std::filesystem::path program, CodecLimits limits = {}, unsigned ahead = 0);
  ~CodecPool() override;
  CodecPool(const CodecPool&) = delete;
  CodecPool& operator=(const CodecPool&) = delete;

  [[nodiscard]] std::unique_ptr<Buffer> buffer() override;
  [[nodiscard]] Result<Encoded> encode(const pixel::PixelData& data, const std::string& syntax) override;
  [[nodiscard]] Result<std::string> compare(const pixel::PixelData& source, const pixel::PixelData& written) override;

  /// Processes that wait for work.
  [[nodiscard]] std::vector<pid_t> idle() const;

 private:
  class Process;
  struct State;
  template <typename T>
  Result<T> call(const pixel::PixelData& source, const pixel::PixelData* written, const std::string& syntax,
                 Result<T> (*read)(ByteView));
  std::shared_ptr<State> state_;
};

/// waybill_codec beside the running program. Throws RunError when it is not there.
[[nodiscard]] std::filesystem::path codec_program();

}  // namespace waybill::transcode
