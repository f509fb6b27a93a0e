// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "archive/container.hpp"
#include "archive/file.hpp"
#include "core/bytes.hpp"
#include "core/result.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace waybill::archive {

/// A member of a container as text of a manifest: names in the form of path_to_text. A name that occurred before in
/// the same container ends in "%#N" (N from 2), and "%/" stands between a container and a member of it. path_to_text
/// makes "%25" of every '%', so both are unmistakable:
///   a/1.dcm          the member "a/1.dcm"
///   a/1.dcm%#2       the second member of that name
///   %#1              the first member without a name
///   b.tar%/1.dcm     the member "1.dcm" of the tar file "b.tar" in the container
inline constexpr std::string_view kInside = "%/";

/// What a member may inflate to in any case, and how many times its compressed bytes beyond that. Pixels reach hardly
/// 100:1 by deflate, and a blank image, which reaches 1000:1, is seldom larger than 64 MiB; a bomb is nothing else.
inline constexpr std::uint64_t kAlwaysAllowed = std::uint64_t{64} << 20U;
inline constexpr std::uint64_t kMostRatio = 200;

enum class MemberKind { file, folder, symlink, hardlink, special };

struct Member {
  std::string text;  ///< one step of the form above
  MemberKind kind = MemberKind::file;
  std::optional<std::uint64_t> size;  ///< as the container declares it
  bool encrypted = false;
  bool outside = false;  ///< absolute or with ".." in its path: only a name to us, nothing is ever extracted
};

/// The members of one container in its order, each once, in one pass. Single-threaded.
class Members {
 public:
  static constexpr std::uint64_t kNoLimit = UINT64_MAX;

  /// `bytes` must outlive the object. A compressed file that inflates to more than `limit` bytes ends there; with a
  /// limit, members keep to kMostRatio, too.
  [[nodiscard]] static Result<Members> of(ByteView bytes, std::uint64_t limit = kNoLimit);
  /// Reads from the start of `fd`, which must stay open. A container other than zip is digested on the way.
  [[nodiscard]] static Result<Members> of(int fd, std::uint64_t limit = kNoLimit);
  ~Members();
  Members(Members&&) noexcept;
  Members& operator=(Members&&) noexcept;

  /// The next member; nullopt at the end, and where damage makes the rest unreachable.
  [[nodiscard]] std::optional<Member> next();
  /// The bytes of the member that next() gave, once. Fault::limit beyond `most`, Fault::refused when encrypted,
  /// Fault::unreadable when damaged or packed in a way we do not know.
  [[nodiscard]] Result<Bytes> read(std::uint64_t most);
  /// After the end: what is wrong with the container, empty when it is sound.
  [[nodiscard]] std::string damage() const;
  /// Whether the limit or the ratio ended it.
  [[nodiscard]] bool too_large() const;
  /// Raises the limit of a compressed file by so many bytes.
  void allow(std::uint64_t more);
  /// "zip", "tar", "tar.gz", …, "gzip".
  [[nodiscard]] std::string type() const;
  /// SHA-256 of the whole file. For `of(fd)`: reads what was not read yet.
  [[nodiscard]] Result<std::string> digest();

 private:
  struct State;
  explicit Members(std::unique_ptr<State> state);
  [[nodiscard]] static Result<Members> opened(std::unique_ptr<State> state, std::uint64_t limit);
  std::unique_ptr<State> state_;
};

}  // namespace waybill::archive
