// SPDX-License-Identifier: Apache-2.0
#include "manifest/envelope.hpp"

#include "core/result.hpp"
#include "core/text.hpp"
#include "io/atomic_file.hpp"
#include "manifest/chain.hpp"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>

namespace waybill::manifest {
namespace {

constexpr std::size_t kIdBytes = 16, kSaltBytes = 16, kNonceBytes = 12, kTagBytes = 16;
constexpr std::string_view kRecordMagic = "WBR1";
constexpr std::size_t kRecordHead = 12;  // magic, number, length of the content
constexpr std::size_t kReadBytes = std::size_t{1} << 18U;
constexpr std::size_t kMostContent = std::size_t{80} << 20U;  // a frame's worst case, and tables of millions of frames
constexpr int kGcm = static_cast<int>(kTagBytes);

static_assert(kEnvelopeHead == 16 + kIdBytes + kSaltBytes);
static_assert(kEnvelopeExtra == kRecordHead + kNonceBytes + kTagBytes);

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};

void must(bool done) {
  if (!done) throw RunError(Exit::internal, "OpenSSL refused an AES-256-GCM step; check the installed libcrypto");
}

unsigned char* raw(std::byte* bytes) { return reinterpret_cast<unsigned char*>(bytes); }
const unsigned char* raw(const std::byte* bytes) { return reinterpret_cast<const unsigned char*>(bytes); }

void random_bytes(std::span<std::byte> into) {
  if (RAND_bytes(raw(into.data()), static_cast<int>(into.size())) != 1)
    throw RunError(Exit::internal, "no random bytes from OpenSSL; check the system's entropy source");
}

const SecretKey& key_for(const std::string& id, const std::filesystem::path& path) {
  const Keys& keys = keys_in_use();
  std::vector<const SecretKey*> all;
  for (const SecretKey& key : keys.open) all.push_back(&key);
  if (keys.write_to) all.push_back(keys.write_to.get());
  const std::string name = path == "-" ? "the manifest on standard input" : path_to_text(path.native());
  if (all.empty())
    throw RunError(Exit::usage, name + " is encrypted to the key " + id +
                                    "; name its file with --key (manifest check, sign and prove: --decrypt-key)");
  for (const SecretKey* key : all) {
    if (key->id() == id) return *key;
  }
  throw RunError(Exit::usage, name + " is encrypted to the key " + id + ", and the key given is " + all.front()->id() +
                                  "; name the file of the right one with --key");
}

}  // namespace

bool is_sealed(ByteView start) noexcept {
  const std::string_view text = as_text(start).substr(0, kEnvelopeMagic.size());
  return !text.empty() && kEnvelopeMagic.starts_with(text);
}

bool is_sealed_file(const std::filesystem::path& path) noexcept {
  const io::Descriptor fd = io::open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  std::array<std::byte, kEnvelopeMagic.size()> start{};
  return fd && ::pread(fd.get(), start.data(), start.size(), 0) == static_cast<ssize_t>(start.size()) &&
         is_sealed(start);
}

struct Envelope::State {
  std::array<std::byte, kEnvelopeHead> head{};
  std::array<std::byte, 32> key{};
  std::string key_id;
  std::unique_ptr<EVP_CIPHER_CTX, FreeCipher> context{EVP_CIPHER_CTX_new()};
  Bytes record;

  State() { must(context != nullptr); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { OPENSSL_cleanse(key.data(), key.size()); }

  /// Each file has a key of its own, so that the number of records of one file alone bounds the use of its nonces.
  void take(const SecretKey& secret) {
    key_id = secret.id();
    std::string text = "waybill manifest key 1";
    text += as_text(ByteView(head).subspan(kEnvelopeHead - kSaltBytes));
    key = secret.derive(text);
  }

  void authenticate(ByteView bytes,
                    int (*update)(EVP_CIPHER_CTX*, unsigned char*, int*, const unsigned char*, int)) const {
    int n = 0;
    must(update(context.get(), nullptr, &n, raw(bytes.data()), static_cast<int>(bytes.size())) == 1);
  }
};

Envelope::Envelope(const SecretKey& key) : state_(std::make_unique<State>()) {
  auto at = std::copy(as_bytes(kEnvelopeMagic).begin(), as_bytes(kEnvelopeMagic).end(), state_->head.begin());
  const Bytes id = from_hex(key.id());
  std::copy(id.begin(), id.end(), at);
  random_bytes(std::span(state_->head).last(kSaltBytes));
  state_->take(key);
}

Envelope::Envelope(ByteView head, const std::filesystem::path& path) : state_(std::make_unique<State>()) {
  std::copy_n(head.begin(), kEnvelopeHead, state_->head.begin());
  state_->take(key_for(to_hex(head.subspan(kEnvelopeMagic.size(), kIdBytes)), path));
}

Envelope::~Envelope() = default;
Envelope::Envelope(Envelope&&) noexcept = default;
Envelope& Envelope::operator=(Envelope&&) noexcept = default;

ByteView Envelope::head() const noexcept { return state_->head; }
const std::string& Envelope::key_id() const noexcept { return state_->key_id; }

ByteView Envelope::seal(std::uint32_t number, ByteView content) {
  State& s = *state_;
  s.record.clear();
  put_bytes(s.record, as_bytes(kRecordMagic));
  put_u32(s.record, number);
  put_u32(s.record, static_cast<std::uint32_t>(content.size()));
  s.record.resize(content.size() + kEnvelopeExtra);
  const auto nonce = std::span(s.record).subspan(kRecordHead, kNonceBytes);
  random_bytes(nonce);  // never a counter: a torn record's number is used again for another content
  std::byte* out = s.record.data() + kRecordHead + kNonceBytes;
  int n = 0;
  must(EVP_EncryptInit_ex(s.context.get(), EVP_aes_256_gcm(), nullptr, raw(s.key.data()), raw(nonce.data())) == 1);
  s.authenticate(s.head, EVP_EncryptUpdate);
  s.authenticate(ByteView(s.record).first(kRecordHead), EVP_EncryptUpdate);
  must(EVP_EncryptUpdate(s.context.get(), raw(out), &n, raw(content.data()), static_cast<int>(content.size())) == 1);
  must(EVP_EncryptFinal_ex(s.context.get(), raw(out) + n, &n) == 1);
  must(EVP_CIPHER_CTX_ctrl(s.context.get(), EVP_CTRL_GCM_GET_TAG, kGcm, out + content.size()) == 1);
  return s.record;
}

std::optional<Bytes> Envelope::open(std::uint32_t number, ByteView record) {
  State& s = *state_;
  Bytes expected;
  put_bytes(expected, as_bytes(kRecordMagic));
  put_u32(expected, number);
  if (record.size() < kEnvelopeExtra) return std::nullopt;
  const std::size_t size = record.size() - kEnvelopeExtra;
  put_u32(expected, static_cast<std::uint32_t>(size));
  if (!std::equal(expected.begin(), expected.end(), record.begin())) return std::nullopt;
  const ByteView nonce = record.subspan(kRecordHead, kNonceBytes);
  const std::byte* in = record.data() + kRecordHead + kNonceBytes;
  Bytes content(size);
  Bytes tag(record.end() - kTagBytes, record.end());
  int n = 0;
  must(EVP_DecryptInit_ex(s.context.get(), EVP_aes_256_gcm(), nullptr, raw(s.key.data()), raw(nonce.data())) == 1);
  s.authenticate(s.head, EVP_DecryptUpdate);
  s.authenticate(record.first(kRecordHead), EVP_DecryptUpdate);
  must(EVP_DecryptUpdate(s.context.get(), raw(content.data()), &n, raw(in), static_cast<int>(size)) == 1);
  must(EVP_CIPHER_CTX_ctrl(s.context.get(), EVP_CTRL_GCM_SET_TAG, kGcm, tag.data()) == 1);
  std::array<std::byte, kTagBytes> rest{};
  if (EVP_DecryptFinal_ex(s.context.get(), raw(rest.data()), &n) != 1) return std::nullopt;
  return content;
}

PlainInput::PlainInput(io::Descriptor fd, std::filesystem::path path) : fd_(std::move(fd)), path_(std::move(path)) {}

/// Reads until buffer_ holds so many bytes; false when the file ends before.
bool PlainInput::fill(std::size_t wanted) {
  while (buffer_.size() < wanted && !eof_) {
    const std::size_t had = buffer_.size();
    buffer_.resize(std::max(wanted, had + kReadBytes));
    const std::size_t n = io::read_some(fd_.get(), std::span(buffer_).subspan(had), path_);
    buffer_.resize(had + n);
    eof_ = n == 0;
  }
  return buffer_.size() >= wanted;
}

void PlainInput::begin() {
  begun_ = true;
  (void)fill(kEnvelopeMagic.size());
  if (!is_sealed(buffer_)) return;
  if (!fill(kEnvelopeHead)) {
    damaged("it ends inside its encryption header", true);
    return;
  }
  envelope_ = std::make_unique<Envelope>(ByteView(buffer_).first(kEnvelopeHead), path_);
  buffer_.erase(buffer_.begin(), buffer_.begin() + kEnvelopeHead);
}

void PlainInput::damaged(const std::string& what, bool incomplete) { damage_ = Damage{what, incomplete}; }

std::uint64_t PlainInput::rest() {
  std::uint64_t bytes = 0;
  do {
    bytes += buffer_.size();
    buffer_.clear();
  } while (fill(1));
  return bytes;
}

/// The file was read to its end to find out that the record is incomplete.
bool PlainInput::record_follows() {
  if (!envelope_) return false;
  const std::string_view text = as_text(buffer_);
  for (std::size_t at = text.find(kRecordMagic, 1); at != std::string_view::npos;
       at = text.find(kRecordMagic, at + 1)) {
    if (text.size() - at < kEnvelopeExtra) return false;
    const std::uint32_t number = load_u32(buffer_.data() + at + 4);
    const std::size_t size = kEnvelopeExtra + load_u32(buffer_.data() + at + 8);
    if (size <= text.size() - at && envelope_->open(number, ByteView(buffer_).subspan(at, size))) return true;
  }
  return false;
}

void PlainInput::next_record() {
  plain_.clear();
  at_ = 0;
  if (!fill(1)) return;
  if (!fill(kRecordHead)) return damaged("it ends inside a record", true);
  const bool head =
      as_text(ByteView(buffer_).first(kRecordMagic.size())) == kRecordMagic && load_u32(buffer_.data() + 4) == number_;
  const std::size_t size = load_u32(buffer_.data() + 8);
  if (!head || size > kMostContent) return damaged("no record of its encryption begins there", false);
  if (!fill(size + kEnvelopeExtra)) return damaged("it ends inside a record", true);
  auto content = envelope_->open(number_, ByteView(buffer_).first(size + kEnvelopeExtra));
  if (!content) return damaged("the record is not what was encrypted there", false);
  plain_ = *std::move(content);
  buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(size + kEnvelopeExtra));
  ++number_;
}

std::size_t PlainInput::read(std::span<std::byte> into) {
  if (!begun_) begin();
  if (damage_) return 0;
  if (!envelope_) {
    if (buffer_.empty()) return io::read_some(fd_.get(), into, path_);
    const std::size_t n = std::min(into.size(), buffer_.size());
    std::copy_n(buffer_.begin(), n, into.begin());
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(n));
    return n;
  }
  while (at_ == plain_.size() && !damage_) {
    next_record();
    if (plain_.empty()) return 0;
  }
  const std::size_t n = std::min(into.size(), plain_.size() - at_);
  std::copy_n(plain_.begin() + static_cast<std::ptrdiff_t>(at_), n, into.begin());
  at_ += n;
  return n;
}

namespace {

/// Walks a complete manifest; its frames and what follows them are the records of its sealed form.
std::vector<FrameSize> proved_frames(const std::filesystem::path& path) {
  io::Descriptor fd = io::open_file(path, O_RDONLY);
  if (!fd) io::throw_errno("open manifest", path, errno);
  Chain chain(std::move(fd), path, std::nullopt);
  while (chain.next()) {
  }
  if (!chain.complete())
    throw RunError(Exit::usage, path_to_text(path.native()) + " is an interrupted run; finish it first");
  return chain.frames();
}

void refuse_existing(const std::filesystem::path& path) {
  if (std::filesystem::exists(std::filesystem::symlink_status(path)))
    throw RunError(Exit::usage, path_to_text(path.native()) + " exists; name another output or remove it");
}

}  // namespace

void seal_file(const std::filesystem::path& plain, const std::filesystem::path& sealed, const SecretKey& key) {
  if (is_sealed_file(plain)) throw RunError(Exit::usage, path_to_text(plain.native()) + " is encrypted already");
  refuse_existing(sealed);
  const auto frames = proved_frames(plain);
  PlainInput in(io::open_file(plain, O_RDONLY), plain);
  Envelope envelope(key);
  io::AtomicFile out(sealed);
  out.write(envelope.head());
  Bytes content;
  const auto take = [&](std::size_t most) {
    content.resize(most);
    std::size_t size = 0;
    while (size < most) {
      const std::size_t n = in.read(std::span(content).subspan(size));
      if (n == 0) break;
      size += n;
    }
    content.resize(size);
  };
  std::uint32_t number = 0;
  for (const FrameSize& frame : frames) {
    take(frame.compressed);
    out.write(envelope.seal(number++, content));
  }
  take(trailer_size(frames.size()));
  out.write(envelope.seal(number, content));
  out.commit();
}

void unseal_file(const std::filesystem::path& sealed, const std::filesystem::path& plain) {
  if (!is_sealed_file(sealed)) throw RunError(Exit::usage, path_to_text(sealed.native()) + " is not encrypted");
  refuse_existing(plain);
  (void)proved_frames(sealed);
  PlainInput in(io::open_file(sealed, O_RDONLY), sealed);
  io::AtomicFile out(plain);
  Bytes buffer(kReadBytes);
  while (const std::size_t n = in.read(buffer)) out.write(ByteView(buffer).first(n));
  out.commit();
}

}  // namespace waybill::manifest
