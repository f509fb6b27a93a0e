// SPDX-License-Identifier: Apache-2.0
// Encrypted manifests: nothing to read without the key, nothing to change, swap or cut without being seen, and all that
// holds of plain ones.
#include "manifest/envelope.hpp"
#include "core/bytes.hpp"
#include "manifest/derive.hpp"
#include "manifest/key.hpp"
#include "manifest/signature.hpp"
#include "support.hpp"

#include <sys/resource.h>
#include <csignal>

namespace waybill::manifest {
namespace {

class Sealed : public Folder {
 protected:
  void SetUp() override {
    Folder::SetUp();
    generate_secret(folder_ / "key");
    generate_secret(folder_ / "other");
    with("key");
  }
  void TearDown() override {
    use_keys({});
    Folder::TearDown();
  }
  /// Reads and writes with this key from now on; without one for "".
  void with(const std::string& name) {
    use_keys(name.empty() ? Keys{} : Keys{{}, std::make_shared<const SecretKey>(folder_ / name)});
  }
  void read_with(const std::string& name) { use_keys({{SecretKey(folder_ / name)}, nullptr}); }
  void write(int frames) const {
    Writer writer(file_, header());
    for (int i = 0; i < frames; ++i) {
      writer.append(line(i));
      writer.commit();
    }
    writer.finish("{}");
  }
  /// The records of the file's bytes: head first.
  static std::vector<std::string> records(const std::string& bytes) {
    std::vector<std::string> out{bytes.substr(0, kEnvelopeHead)};
    for (std::size_t at = kEnvelopeHead; at < bytes.size();) {
      const std::size_t size = kEnvelopeExtra + load_u32(as_bytes(bytes).data() + at + 8);
      out.push_back(bytes.substr(at, size));
      at += size;
    }
    return out;
  }
  static std::string joined(const std::vector<std::string>& parts) {
    std::string out;
    for (const auto& part : parts) out += part;
    return out;
  }
};

TEST_F(Sealed, WhatIsWrittenComesBackAndNothingOfItIsReadableWithoutTheKey) {
  {
    Writer writer(file_, header());
    for (int i = 0; i < 25000; ++i) writer.append(line(i));
    writer.finish("{}");
  }
  const Content c = content(file_);
  EXPECT_EQ(c.lines.size(), 25000U);
  EXPECT_TRUE(c.complete);
  EXPECT_EQ(check(file_).exit(), Exit::ok);
  const std::string bytes = test::get(file_);
  EXPECT_TRUE(bytes.starts_with("waybill-sealed/1"));
  EXPECT_EQ(bytes.find("\x28\xB5\x2F\xFD"), std::string::npos) << "a zstd frame in the clear";
  read_with("key");
  EXPECT_EQ(content(file_).lines, c.lines);
}

TEST_F(Sealed, NoKeyAndAnotherKeyAreClearErrors) {
  write(2);
  std::string text;
  with("");
  EXPECT_EQ(exit_of([&] { Reader reader(file_); }, &text), Exit::usage);
  EXPECT_NE(text.find("is encrypted to the key"), std::string::npos) << text;
  EXPECT_NE(text.find("--key"), std::string::npos) << text;
  read_with("other");
  EXPECT_EQ(exit_of([&] { Reader reader(file_); }, &text), Exit::usage);
  EXPECT_EQ(exit_of([&] { (void)check(file_); }), Exit::usage) << "not damaged: nothing is known";
  EXPECT_NE(text.find("and the key given is"), std::string::npos) << text;
}

TEST_F(Sealed, AKeyFileThatIsOpenToOthersOrNoKeyIsRefused) {
  fs::permissions(folder_ / "other", fs::perms(0640));
  EXPECT_EQ(exit_of([&] { SecretKey key(folder_ / "other"); }), Exit::usage);
  for (const char* text : {"", "abc", "zz", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeefx\n",
                           "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00\n"}) {
    test::put(folder_ / "bad", text);
    fs::permissions(folder_ / "bad", fs::perms(0600));
    EXPECT_EQ(exit_of([&] { SecretKey key(folder_ / "bad"); }), Exit::input) << text;
  }
  EXPECT_EQ(exit_of([&] { generate_secret(folder_ / "key"); }), Exit::usage) << "a key is never overwritten";
}

TEST_F(Sealed, EveryFlippedByteIsFound) {
  write(3);
  const std::string bytes = test::get(file_);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 0x20);
    test::put(file_, changed);
    const Exit exit = exit_of([&] { (void)content(file_); });
    // In the head's magic and key id it is no manifest, or one of another key; behind them it is damage.
    EXPECT_EQ(exit, at < 16 ? Exit::input : at < 32 ? Exit::usage : Exit::integrity) << at;
  }
}

TEST_F(Sealed, RecordsCannotBeDroppedSwappedRepeatedOrTakenFromAnotherFile) {
  write(4);
  const auto good = records(test::get(file_));
  file_ = folder_ / "b.wb";
  write(4);
  const auto foreign = records(test::get(file_));
  ASSERT_EQ(good.size(), foreign.size());
  EXPECT_NE(good[1], foreign[1]) << "the same frame must not look the same twice";
  for (std::size_t i = 1; i < good.size(); ++i) {
    auto dropped = good, repeated = good, taken = good;
    dropped.erase(dropped.begin() + static_cast<std::ptrdiff_t>(i));
    repeated.insert(repeated.begin() + static_cast<std::ptrdiff_t>(i), good[i]);
    taken[i] = foreign[i];
    std::vector<std::vector<std::string>> all{repeated, taken};
    if (i + 1 < good.size()) {
      all.push_back(dropped);
      auto swapped = good;
      std::swap(swapped[i], swapped[i + 1]);
      all.push_back(swapped);
    }
    for (const auto& parts : all) {
      test::put(file_, joined(parts));
      EXPECT_EQ(check(file_).exit(), Exit::integrity) << i;
    }
  }
  auto cut = good;
  cut.pop_back();  // seal and table gone: an interrupted run, never a complete one
  test::put(file_, joined(cut));
  EXPECT_FALSE(check(file_).complete);
}

TEST_F(Sealed, ATailTornAtAnyByteBehindTheMarkLosesNoConfirmedRecord) {
  std::string mark, bytes;
  std::size_t confirmed = 0;
  {
    Writer writer(file_, header());
    writer.append(line(1));
    writer.commit();
    mark = test::get(file_.string() + ".sync");
    confirmed = fs::file_size(file_);
    writer.append(line(2));
    writer.commit();
    writer.append(line(3));
  }
  bytes = test::get(file_);
  for (std::size_t size = confirmed - 30; size <= bytes.size(); size += 23) {
    for (const bool garbage : {false, true}) {
      test::put(file_, bytes.substr(0, size) + (garbage ? std::string(50, '\0') : ""));
      test::put(file_.string() + ".sync", mark);
      fs::remove(file_.string() + ".torn");
      if (size < confirmed) {
        EXPECT_EQ(exit_of([&] { Writer(file_, header()); }), Exit::integrity) << size;
        continue;
      }
      const Content before = content(file_);
      ASSERT_GE(before.lines.size(), 1U);
      {
        Writer writer(file_, header());
        ASSERT_TRUE(writer.resumed());
        writer.append(line(9));
        writer.finish("{}");
      }
      ASSERT_EQ(check(file_).exit(), Exit::ok) << size << garbage;
      const Content after = content(file_);
      ASSERT_EQ(after.lines.back(), line(9));
      ASSERT_EQ(before.torn, fs::exists(file_.string() + ".torn")) << size;
      if (!before.torn) continue;
      const std::string all = bytes.substr(0, size) + (garbage ? std::string(50, '\0') : "");
      ASSERT_TRUE(all.ends_with(test::get(file_.string() + ".torn")));
    }
  }
}

TEST_F(Sealed, WithoutAMarkOnlyAnIncompleteLastRecordIsCut) {
  { Writer(file_, header()).append(line(1)); }
  { Writer(file_, header()).append(line(2)); }
  const std::string bytes = test::get(file_);
  fs::remove(file_.string() + ".sync");
  test::put(file_, bytes.substr(0, bytes.size() - 5));
  EXPECT_TRUE(content(file_).torn);
  auto parts = records(bytes);
  ASSERT_EQ(parts.size(), 4U);
  parts[2].resize(parts[2].size() - 7);  // bytes missing in the middle: the rest looks like a part of it
  test::put(file_, joined(parts));
  EXPECT_EQ(exit_of([&] { (void)content(file_); }), Exit::integrity);
}

TEST_F(Sealed, ARunGoesOnOnlyAsItWasBegun) {
  { Writer(file_, header()).append(line(1)); }
  std::string text;
  read_with("key");
  EXPECT_EQ(exit_of([&] { Writer(file_, header()); }, &text), Exit::usage);
  EXPECT_NE(text.find("--encrypt-to"), std::string::npos) << text;
  with("");
  { Writer(folder_ / "plain.wb", header()).append(line(1)); }
  with("key");
  EXPECT_EQ(exit_of([&] { Writer(folder_ / "plain.wb", header()); }), Exit::usage);
  {
    Writer writer(file_, header());
    EXPECT_TRUE(writer.resumed());
    writer.finish("{}");
  }
  EXPECT_EQ(content(file_).lines, (std::vector<std::string>{line(1)}));
  EXPECT_TRUE(Writer(file_, header()).already_complete());
  with("other");
  Writer writer(file_, header(), Restart::yes);
  writer.append(line(5));
  writer.finish("{}");
  EXPECT_EQ(content(file_).lines, (std::vector<std::string>{line(5)}));
}

TEST_F(Sealed, ASignatureGoesIntoTheEnvelopeAndHoldsAfterItIsTakenOff) {
  write(2);
  (void)generate_key(folder_ / "sign");
  (void)sign_manifest(file_, folder_ / "sign");
  EXPECT_TRUE(is_sealed_file(file_));
  const PublicKey key(folder_ / "sign.pub");
  EXPECT_TRUE(check(file_, &key).verified);
  const std::string head = content(file_).head;
  unseal_file(file_, folder_ / "plain.wb");
  with("");
  EXPECT_TRUE(check(folder_ / "plain.wb", &key).verified);
  EXPECT_EQ(content(folder_ / "plain.wb").head, head) << "what other manifests link to stays";
  with("other");
  seal_file(folder_ / "plain.wb", folder_ / "again.wb", SecretKey(folder_ / "other"));
  EXPECT_TRUE(check(folder_ / "again.wb", &key).verified);
  unseal_file(folder_ / "again.wb", folder_ / "plain2.wb");
  EXPECT_EQ(test::get(folder_ / "plain.wb"), test::get(folder_ / "plain2.wb"));
  EXPECT_EQ(exit_of([&] { unseal_file(folder_ / "again.wb", folder_ / "plain2.wb"); }), Exit::usage);
}

TEST_F(Sealed, ThePublishedScriptOpensItWithoutUs) {
  const char* source = std::getenv("WAYBILL_SOURCE");
  ASSERT_NE(source, nullptr);
  write(3);
  unseal_file(file_, folder_ / "plain.wb");
  const auto script = [&](const std::string& key) {
    return std::system(("'" + std::string(source) + "/scripts/unseal' " + (folder_ / key).string() + " " +
                        file_.string() + " >" + (folder_ / "out").string() + " 2>/dev/null")
                           .c_str());
  };
  EXPECT_EQ(script("key"), 0);
  EXPECT_EQ(test::get(folder_ / "out"), test::get(folder_ / "plain.wb"));
  EXPECT_NE(script("other"), 0);
}

TEST_F(Sealed, AFullDiskLeavesAResumableFile) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  {
    Writer writer(file_, header());
    writer.append(line(1));
    writer.commit();
    rlimit small = before;
    small.rlim_cur = fs::file_size(file_) + 60;
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    writer.append(line(2));
    EXPECT_EQ(exit_of([&] { writer.commit(); }), Exit::input);
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  }
  {
    Writer writer(file_, header());
    EXPECT_TRUE(writer.resumed());
    writer.append(line(2));
    writer.finish("{}");
  }
  EXPECT_EQ(check(file_).exit(), Exit::ok);
  EXPECT_EQ(content(file_).lines.front(), line(1));
}

TEST_F(Sealed, DerivedManifestsAreEncryptedAsWell) {
  {
    Writer writer(file_, header());
    for (int i = 0; i < 3; ++i) writer.append_record(object(i));
    writer.finish("{}");
  }
  (void)filter(file_, folder_ / "some.wb", {{"instance"}, {}, {}}, Restart::no);
  EXPECT_TRUE(is_sealed_file(folder_ / "some.wb"));
  EXPECT_EQ(content(folder_ / "some.wb").lines.size(), 3U);
}

}  // namespace
}  // namespace waybill::manifest
