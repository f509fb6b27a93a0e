// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/bytes.hpp"
#include "io/descriptor.hpp"
#include "manifest/key.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

/// A manifest at rest: each of its frames, and the seal with the table, sealed by AES-256-GCM. What is inside is the
/// plain manifest byte for byte, so chain, heads and signatures are those of the plain one. docs/encryption.md is the
/// format.
namespace waybill::manifest {

inline constexpr std::string_view kEnvelopeMagic = "waybill-sealed/1";
inline constexpr std::size_t kEnvelopeHead = 48;   ///< magic, key id, salt
inline constexpr std::size_t kEnvelopeExtra = 40;  ///< bytes a record is longer than what it holds

/// Whether a file that begins with these bytes is sealed, or would be if there were more of it.
[[nodiscard]] bool is_sealed(ByteView start) noexcept;
/// Whether the file begins so; false when it cannot be read.
[[nodiscard]] bool is_sealed_file(const std::filesystem::path& path) noexcept;

/// The key for one sealed file, in both directions. Throws RunError(Exit::usage) when no key is in use,
/// or another one. One thread at a time.
class Envelope {
 public:
  /// A new file, encrypted to `key`.
  explicit Envelope(const SecretKey& key);
  /// An existing one, by its first kEnvelopeHead bytes.
  Envelope(ByteView head, const std::filesystem::path& path);
  ~Envelope();
  Envelope(Envelope&&) noexcept;
  Envelope& operator=(Envelope&&) noexcept;

  [[nodiscard]] ByteView head() const noexcept;
  [[nodiscard]] const std::string& key_id() const noexcept;
  /// Record `number` of the file; a fresh random nonce each time. Valid until the next call.
  [[nodiscard]] ByteView seal(std::uint32_t number, ByteView content);
  /// The content of a whole record; nullopt when it is not authentic, or not this record of this file.
  [[nodiscard]] std::optional<Bytes> open(std::uint32_t number, ByteView record);

  /// Where a byte of the plain manifest behind `frames` whole frames is in the sealed file.
  [[nodiscard]] static std::uint64_t physical(std::uint64_t plain, std::uint64_t frames) noexcept {
    return kEnvelopeHead + plain + frames * kEnvelopeExtra;
  }

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The plain bytes of a manifest's file, whether it is sealed or not. Damage of a sealed file ends the bytes; the walk
/// over the frames decides what it means. One thread at a time.
class PlainInput {
 public:
  PlainInput(io::Descriptor fd, std::filesystem::path path);

  /// Like io::read_some. Throws RunError where Envelope does.
  [[nodiscard]] std::size_t read(std::span<std::byte> into);
  [[nodiscard]] bool sealed() const noexcept { return envelope_ != nullptr; }
  [[nodiscard]] Envelope& envelope() noexcept { return *envelope_; }

  struct Damage {
    std::string what;
    bool incomplete = false;  ///< the file ends inside the record
  };
  /// Why the bytes ended before the file did.
  [[nodiscard]] const std::optional<Damage>& damage() const noexcept { return damage_; }
  /// Whether an authentic record stands behind an incomplete one: then that is no torn tail.
  [[nodiscard]] bool record_follows();
  /// Bytes from the damaged record's first to the end of the file, which is read.
  [[nodiscard]] std::uint64_t rest();

 private:
  [[nodiscard]] bool fill(std::size_t wanted);
  void begin();
  void next_record();
  void damaged(const std::string& what, bool incomplete);

  io::Descriptor fd_;
  std::filesystem::path path_;
  bool begun_ = false, eof_ = false;
  std::unique_ptr<Envelope> envelope_;
  Bytes buffer_;  // bytes of the file not yet taken
  Bytes plain_;   // opened, handed out from at_
  std::size_t at_ = 0;
  std::uint32_t number_ = 0;
  std::optional<Damage> damage_;
};

/// Writes a sealed copy of a plain manifest, or a plain copy of a sealed one, which must be complete and sound; chain,
/// head and signatures stay. The output must not exist.
void seal_file(const std::filesystem::path& plain, const std::filesystem::path& sealed, const SecretKey& key);
void unseal_file(const std::filesystem::path& sealed, const std::filesystem::path& plain);

}  // namespace waybill::manifest
