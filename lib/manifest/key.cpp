// SPDX-License-Identifier: Apache-2.0
#include "manifest/key.hpp"

#include "core/result.hpp"
#include "core/text.hpp"
#include "io/atomic_file.hpp"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <cerrno>

namespace waybill::manifest {
namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kIdDigits = 32;

Keys& current() {
  static Keys keys;
  return keys;
}

}  // namespace

struct SecretKey::State {
  std::array<std::byte, kKeyBytes> bytes{};
  std::string id;
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
};

SecretKey::SecretKey(const std::filesystem::path& file) {
  const io::Descriptor fd = io::open_file(file, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!fd) io::throw_errno("open key", file, errno);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) io::throw_errno("examine", file, errno);
  const std::string name = path_to_text(file.native());
  if (!S_ISREG(info.st_mode) || (info.st_mode & 077U) != 0) {
    throw RunError(Exit::usage, "the key file " + name +
                                    " is open to others or no regular file; make it private (chmod 600) and think "
                                    "about a new key");
  }
  std::array<std::byte, 2 * kKeyBytes + 2> text{};
  std::size_t size = 0;
  while (size < text.size()) {
    const std::size_t n = io::read_some(fd.get(), std::span(text).subspan(size), file);
    if (n == 0) break;
    size += n;
  }
  std::string_view digits = as_text(ByteView(text).first(size));
  if (digits.ends_with('\n')) digits.remove_suffix(1);
  Bytes bytes = digits.size() == 2 * kKeyBytes ? from_hex(digits) : Bytes{};
  OPENSSL_cleanse(text.data(), text.size());
  if (bytes.size() != kKeyBytes) {
    throw RunError(Exit::input, name +
                                    " holds no key of 64 hex digits; make one with `waybill manifest keygen "
                                    "--encryption` or `openssl rand -hex 32`");
  }
  auto state = std::make_shared<State>();
  std::copy(bytes.begin(), bytes.end(), state->bytes.begin());
  OPENSSL_cleanse(bytes.data(), bytes.size());
  state_ = state;
  state->id = to_hex(derive("waybill key id 1")).substr(0, kIdDigits);
}

std::array<std::byte, 32> SecretKey::derive(std::string_view text) const {
  std::array<std::byte, 32> out{};
  unsigned length = 0;
  if (HMAC(EVP_sha256(), state_->bytes.data(), static_cast<int>(state_->bytes.size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(),
           reinterpret_cast<unsigned char*>(out.data()), &length) == nullptr)
    throw RunError(Exit::internal, "OpenSSL refused an HMAC step; check the installed libcrypto");
  return out;
}

const std::string& SecretKey::id() const noexcept { return state_->id; }

std::string generate_secret(const std::filesystem::path& path) {
  if (std::filesystem::exists(std::filesystem::symlink_status(path)))
    throw RunError(Exit::usage, path_to_text(path.native()) + " exists; name another file, a key is never overwritten");
  std::array<std::byte, kKeyBytes> bytes{};
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) != 1)
    throw RunError(Exit::internal, "no random bytes from OpenSSL; check the system's entropy source");
  std::string text = to_hex(bytes) + "\n";
  io::AtomicFile file(path);
  file.write(as_bytes(text));
  file.commit();
  OPENSSL_cleanse(bytes.data(), bytes.size());
  OPENSSL_cleanse(text.data(), text.size());
  return SecretKey(path).id();
}

void use_keys(Keys keys) { current() = std::move(keys); }
const Keys& keys_in_use() noexcept { return current(); }

}  // namespace waybill::manifest
