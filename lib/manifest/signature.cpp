// SPDX-License-Identifier: Apache-2.0
#include "manifest/signature.hpp"

#include "core/json.hpp"
#include "core/result.hpp"
#include "core/text.hpp"
#include "io/atomic_file.hpp"
#include "io/read_file.hpp"
#include "manifest/chain.hpp"
#include "manifest/envelope.hpp"
#include "manifest/study_tree.hpp"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cerrno>

namespace waybill::manifest {
namespace {

constexpr std::size_t kMaxPem = 16384;
constexpr std::size_t kCopyBytes = 1U << 20U;
constexpr std::size_t kSignatureBytes = 64;

struct FreeKey {
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};
struct FreeContext {
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};
struct FreeBio {
  void operator()(BIO* bio) const noexcept { BIO_free_all(bio); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;
using Bio = std::unique_ptr<BIO, FreeBio>;

void must(bool done, const char* what) {
  if (!done)
    throw RunError(Exit::internal, std::string("OpenSSL could not ") + what + "; check the installed libcrypto");
}

std::string base64(ByteView bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int n = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(n));
  return text;
}

/// The 64 bytes of a signature; empty when the text is not their one base64 form.
Bytes signature_bytes(const std::string& text) {
  Bytes bytes(text.size() / 4 * 3);
  const int n = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (n < static_cast<int>(kSignatureBytes)) return {};
  bytes.resize(kSignatureBytes);
  return base64(bytes) == text ? bytes : Bytes{};
}

std::string key_id(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  must(size > 0, "encode the public key");
  const Digest digest = Sha256::of(ByteView(reinterpret_cast<const std::byte*>(der), static_cast<std::size_t>(size)));
  OPENSSL_free(der);
  return digest.hex().substr(0, 16);
}

int no_password(char*, int, int, void*) { return -1; }

Key private_key_from(const std::filesystem::path& path) {
  Bytes pem = read_private_file(path, 1, kMaxPem);
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  OPENSSL_cleanse(pem.data(), pem.size());
  if (!key || EVP_PKEY_get_id(key.get()) != EVP_PKEY_ED25519) {
    throw RunError(
        Exit::input,
        path_to_text(path.native()) +
            " holds no unencrypted Ed25519 private key in PEM form; make one with `waybill manifest keygen`");
  }
  return key;
}

Bytes signature_over(EVP_PKEY* key, std::string_view text) {
  const Context context(EVP_MD_CTX_new());
  must(context && EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key) == 1, "begin a signature");
  Bytes value(kSignatureBytes);
  std::size_t size = value.size();
  must(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(value.data()), &size,
                      reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1,
       "sign");
  return value;
}

std::string signature_line(const std::string& key, const std::string& value, const std::optional<TreeSeal>& tree) {
  JsonWriter w;
  w.begin_object().member("kind", "signature").member("algorithm", "ed25519").member("key", key);
  w.member("value", value);
  if (tree) {
    w.key("tree").begin_object().member("leaves", tree->leaves).member("root", tree->root);
    w.member("value", tree->value).end_object();
  }
  w.end_object();
  return std::move(w).str();
}

/// The tree of what `chain` has walked, sealed by the key; nothing without a secret.
std::optional<TreeSeal> seal_tree(const std::filesystem::path& manifest, const std::filesystem::path& secret,
                                  const Chain& chain, EVP_PKEY* key) {
  if (secret.empty()) return std::nullopt;
  const StudyTree tree(manifest, TreeSecret(secret));
  if (tree.head() != chain.head().hex())
    throw RunError(Exit::integrity,
                   path_to_text(manifest.native()) + " changed while it was signed; check it and sign again");
  TreeSeal seal{tree.size(), tree.root().hex(), {}};
  seal.value = base64(signature_over(key, tree_statement(tree.head(), seal.root, seal.leaves)));
  return seal;
}

io::Descriptor open_alone(const std::filesystem::path& path) {
  io::Descriptor fd = io::open_file(path, O_RDONLY);
  if (!fd) io::throw_errno("open manifest", path, errno);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
  if (errno != EWOULDBLOCK) io::throw_errno("lock", path, errno);
  throw RunError(Exit::usage, "another run writes " + path_to_text(path.native()) + "; sign it after its end");
}

/// Copies the bytes of the frames that `chain` walked.
void copy_frames(int fd, const std::filesystem::path& path, Chain& chain, io::AtomicFile& out) {
  if (::lseek(fd, 0, SEEK_SET) < 0) io::throw_errno("seek in", path, errno);
  Bytes buffer(kCopyBytes);
  const bool sealed = chain.envelope() != nullptr;
  std::uint64_t left = sealed ? Envelope::physical(chain.offset(), chain.frames().size()) : chain.offset();
  while (left > 0) {
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(left, buffer.size()));
    const std::size_t n = io::read_some(fd, std::span(buffer).first(want), path);
    if (n == 0)
      throw RunError(Exit::integrity,
                     path_to_text(path.native()) + " changed while it was signed; check it and sign again");
    out.write(ByteView(buffer).first(n));
    left -= n;
  }
}

/// Walks the new file from its first to its last byte before it takes the old one's name.
void prove_copy(const std::filesystem::path& part, const Chain& before) {
  io::Descriptor fd = io::open_file(part, O_RDONLY);
  if (!fd) io::throw_errno("read back", part, errno);
  Chain after(std::move(fd), part, std::nullopt);
  while (after.next()) {
  }
  if (!after.complete() || after.head() != before.head() || after.frames().size() != before.frames().size() + 1) {
    throw RunError(Exit::integrity, "the signed copy " + path_to_text(part.native()) +
                                        " is not what was read; check the disk, then sign again");
  }
}

Bio memory_bio() {
  Bio bio(BIO_new(BIO_s_mem()));
  must(bio != nullptr, "allocate");
  return bio;
}

void write_pem(const std::filesystem::path& path, BIO* bio, unsigned mode) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  io::AtomicFile file(path, mode);
  file.write(as_bytes({data, static_cast<std::size_t>(size)}));
  file.commit();
}

}  // namespace

struct PublicKey::State {
  Key key;
  std::string id;
};

PublicKey::PublicKey(const std::filesystem::path& pem) : state_(std::make_unique<State>()) {
  const auto bytes = io::read_file(pem, kMaxPem);
  if (!bytes)
    throw RunError(Exit::input,
                   "the key file " + path_to_text(pem.native()) + " " + bytes.error().what + "; check the path");
  const Bio bio(BIO_new_mem_buf(bytes->data(), static_cast<int>(bytes->size())));
  state_->key.reset(PEM_read_bio_PUBKEY(bio.get(), nullptr, no_password, nullptr));
  if (!state_->key || EVP_PKEY_get_id(state_->key.get()) != EVP_PKEY_ED25519) {
    throw RunError(Exit::input, path_to_text(pem.native()) +
                                    " holds no Ed25519 public key in PEM form; name the .pub file of the key");
  }
  state_->id = key_id(state_->key.get());
}
PublicKey::~PublicKey() = default;
PublicKey::PublicKey(PublicKey&&) noexcept = default;
PublicKey& PublicKey::operator=(PublicKey&&) noexcept = default;

const std::string& PublicKey::id() const noexcept { return state_->id; }

bool PublicKey::verifies(const Signature& signature) const {
  return signature.key == state_->id && verifies(signature.value, signature.head);
}

bool PublicKey::verifies(const std::string& base64_value, std::string_view text) const {
  const Bytes value = signature_bytes(base64_value);
  if (value.empty()) return false;
  const Context context(EVP_MD_CTX_new());
  must(context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, state_->key.get()) == 1,
       "begin a verification");
  return EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(value.data()), value.size(),
                          reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
}

std::string tree_statement(const std::string& head, const std::string& root, std::uint64_t leaves) {
  return "waybill-tree/1\n" + head + "\n" + root + "\n" + std::to_string(leaves) + "\n";
}

Bytes read_private_file(const std::filesystem::path& path, std::size_t least, std::size_t most) {
  const io::Descriptor fd = io::open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!fd) io::throw_errno("open", path, errno);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) io::throw_errno("examine", path, errno);
  if (!S_ISREG(info.st_mode) || (info.st_mode & 077U) != 0) {
    throw RunError(Exit::usage,
                   "the key file " + path_to_text(path.native()) +
                       " is open to others or no regular file; make it private (chmod 600) and think about a new key");
  }
  Bytes bytes(most + 1);
  std::size_t size = 0;
  while (const std::size_t n = io::read_some(fd.get(), std::span(bytes).subspan(size), path)) size += n;
  if (size < least || size > most) {
    throw RunError(Exit::usage, path_to_text(path.native()) + " has " + std::to_string(size) + " bytes, not " +
                                    std::to_string(least) + " to " + std::to_string(most) + "; name the right file");
  }
  bytes.resize(size);
  return bytes;
}

SignedText sign_text(const std::filesystem::path& private_key, std::string_view text) {
  const Key key = private_key_from(private_key);
  return {key_id(key.get()), signature_over(key.get(), text)};
}

std::string public_pem(const std::filesystem::path& private_key) {
  const Key key = private_key_from(private_key);
  const Bio bio = memory_bio();
  must(PEM_write_bio_PUBKEY(bio.get(), key.get()) == 1, "encode the public key");
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string generate_key(const std::filesystem::path& path) {
  auto public_path = path;
  public_path += ".pub";
  for (const auto& name : {path, public_path}) {
    if (std::filesystem::exists(std::filesystem::symlink_status(name))) {
      throw RunError(Exit::usage,
                     path_to_text(name.native()) + " exists; name another file, a key is never overwritten");
    }
  }
  const Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  must(key != nullptr, "make a key");
  const Bio secret = memory_bio();
  must(PEM_write_bio_PrivateKey(secret.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
       "encode the private key");
  const Bio open = memory_bio();
  must(PEM_write_bio_PUBKEY(open.get(), key.get()) == 1, "encode the public key");
  write_pem(path, secret.get(), 0600);
  write_pem(public_path, open.get(), 0644);
  return key_id(key.get());
}

std::string sign_manifest(const std::filesystem::path& manifest, const std::filesystem::path& private_key,
                          const std::filesystem::path& secret) {
  const Key key = private_key_from(private_key);
  const io::Descriptor fd = open_alone(manifest);
  Chain chain(io::Descriptor(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3)), manifest, read_mark(manifest));
  while (chain.next()) {
  }
  if (!chain.complete()) {
    throw RunError(Exit::usage,
                   path_to_text(manifest.native()) + " is an interrupted run; finish it before it is signed");
  }
  std::string id = key_id(key.get());
  const std::string value = base64(signature_over(key.get(), chain.last().hex()));
  const std::string content = block_line(chain.frames().size(), chain.last()) + "\n" +
                              signature_line(id, value, seal_tree(manifest, secret, chain, key.get())) + "\n";
  io::Scratch memory;
  const ByteView frame = encode_frame(content, memory);
  auto frames = chain.frames();
  frames.push_back({static_cast<std::uint32_t>(frame.size()), static_cast<std::uint32_t>(content.size())});
  io::AtomicFile out(manifest);
  copy_frames(fd.get(), manifest, chain, out);
  const auto put = [&](std::size_t number, ByteView bytes) {
    Envelope* envelope = chain.envelope();
    out.write(envelope == nullptr ? bytes : envelope->seal(static_cast<std::uint32_t>(number), bytes));
  };
  put(frames.size() - 1, frame);
  put(frames.size(), render_trailer(frames, Sha256::of(frame)));
  prove_copy(out.part_path(), chain);
  out.commit();
  return id;
}

}  // namespace waybill::manifest
