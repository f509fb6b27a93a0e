// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.hpp"
#include "support.hpp"
#include "support/waiting.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <chrono>
#include <csignal>
#include <set>
#include <thread>

namespace waybill::manifest {
namespace {

using WriterTest = Folder;

fs::path mark_of(const fs::path& file) { return file.string() + ".sync"; }
fs::path torn_of(const fs::path& file) { return file.string() + ".torn"; }

TEST_F(WriterTest, WhatIsWrittenIsReadBackInOrderWithHeaderAndEnd) {
  Header h = header(R"({"deep":true,"n":[1,2]})");
  h.inputs = {{"in.wb", std::string(64, 'a')}};
  {
    Writer writer(file_, h);
    for (int i = 0; i < 25000; ++i) writer.append(line(i));
    writer.finish(R"({"x":1})");
  }
  Reader reader(file_);
  EXPECT_EQ(reader.header().stage, "scan");
  EXPECT_EQ(reader.header().options, h.options);
  ASSERT_EQ(reader.header().inputs.size(), 1U);
  EXPECT_EQ(reader.header().inputs[0].head, std::string(64, 'a'));
  for (int i = 0; i < 25000; ++i) ASSERT_EQ(reader.next_line(), line(i));
  EXPECT_FALSE(reader.next_line());
  ASSERT_TRUE(reader.end());
  EXPECT_EQ(reader.end()->state, "complete");
  EXPECT_EQ(reader.end()->counts, R"({"x":1})");
  EXPECT_EQ(reader.name(), "a.wb");
  EXPECT_EQ(input_of(file_).head, reader.head());
  EXPECT_FALSE(fs::exists(mark_of(file_)));
  struct stat info {};
  ASSERT_EQ(stat(file_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  EXPECT_GE(check(file_).frames, 4U);
}

TEST_F(WriterTest, LinesFromManyThreadsAllArriveAndEachThreadsOrderIsKept) {
  constexpr int kThreads = 4;
  constexpr int kLines = 6000;
  {
    Writer writer(file_, header());
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kLines; ++i) writer.append(line(t * kLines + i));
      });
    }
    for (auto& thread : threads) thread.join();
    writer.finish("{}");
  }
  std::vector<int> next(kThreads, 0);
  for (const auto& l : content(file_).lines) {
    const int n = std::stoi(l.substr(l.rfind(':') + 1));
    ASSERT_EQ(n % kLines, next[n / kLines]++);
  }
  EXPECT_EQ(next, std::vector<int>(kThreads, kLines));
}

TEST_F(WriterTest, LinesReachTheDiskWithinSecondsWithoutAnyCall) {
  Writer writer(file_, header());
  writer.append(line(1));
  EXPECT_TRUE(test::wait_until([&] { return content(file_).lines.size() == 1; }));
}

TEST_F(WriterTest, AnInterruptedRunIsContinuedAndCountsAllRecords) {
  { Writer(file_, header()).append(line(1)); }
  EXPECT_FALSE(content(file_).complete);
  {
    Header other_run = header();
    other_run.run = "another";
    other_run.options = R"({ "deep" : true })";
    Writer writer(file_, other_run);
    EXPECT_TRUE(writer.resumed());
    EXPECT_FALSE(writer.already_complete());
    writer.append(line(2));
    writer.finish("{}");
  }
  EXPECT_EQ(content(file_).lines, (std::vector<std::string>{line(1), line(2)}));
  EXPECT_EQ(check(file_).exit(), Exit::ok);
  const std::string before = test::get(file_);
  Writer again(file_, header());
  EXPECT_TRUE(again.already_complete());
  EXPECT_NE(exit_of([&] { again.append(line(3)); }), Exit::ok);
  EXPECT_EQ(test::get(file_), before);
}

TEST_F(WriterTest, ARunWithOtherSettingsIsRefusedWithTheDifferenceAndRestartStartsOver) {
  Header first = header(R"({"deep":true,"level":1})");
  first.inputs = {{"in.wb", "aa"}};
  { Writer(file_, first).append(line(1)); }
  const std::string before = test::get(file_);
  Header now = first;
  now.options = R"({"deep":false,"level":1,"more":1})";
  now.inputs[0].head = "bb";
  std::string text;
  EXPECT_EQ(exit_of([&] { Writer(file_, now); }, &text), Exit::usage);
  for (const char* part : {"option deep", "option more", "content of input in.wb", "--restart"}) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  }
  EXPECT_EQ(text.find("option level"), std::string::npos) << text;
  EXPECT_EQ(test::get(file_), before);
  {
    Writer writer(file_, now, Restart::yes);
    EXPECT_FALSE(writer.resumed());
    writer.finish("{}");
  }
  EXPECT_EQ(Reader(file_).header().options, now.options);
  EXPECT_TRUE(content(file_).lines.empty());
}

TEST_F(WriterTest, AFileThatIsNoManifestIsNeverOverwritten) {
  test::put(file_, "dear diary");
  EXPECT_EQ(exit_of([&] { Writer(file_, header()); }), Exit::usage);
  EXPECT_EQ(exit_of([&] { Writer(file_, header(), Restart::yes); }), Exit::usage);
  EXPECT_EQ(test::get(file_), "dear diary");
  EXPECT_EQ(exit_of([&] { Reader reader(file_); }), Exit::input);
  EXPECT_EQ(exit_of([&] { Writer("/dev/full", header()); }), Exit::usage);
  EXPECT_EQ(exit_of([&] { Writer(folder_ / "no" / "x.wb", header()); }), Exit::input);
}

TEST_F(WriterTest, ASecondWriterIsKeptOut) {
  Writer first(file_, header());
  first.append(line(1));
  EXPECT_EQ(exit_of([&] { Writer(file_, header()); }), Exit::usage);
  EXPECT_EQ(exit_of([&] { Writer(file_, header(), Restart::yes); }), Exit::usage);
  first.finish("{}");
  EXPECT_EQ(content(file_).lines.size(), 1U);
}

TEST_F(WriterTest, LinesThatWouldBreakTheFormatAreRefused) {
  Writer writer(file_, header());
  for (const char* bad : {"", "{}", "text", R"({"n":1,"kind":"x"})", R"({"kind":"block"})", R"({"kind":"end"})",
                          "{\"kind\":\"x\"}\n{}"}) {
    EXPECT_EQ(exit_of([&] { writer.append(bad); }), Exit::internal) << bad;
  }
  EXPECT_EQ(exit_of([&] { writer.finish("[]"); }), Exit::internal);
}

/// A file with two confirmed frames and more behind them; where the confirmed part ends.
struct Interrupted {
  std::string bytes;
  std::string mark;       // after the first commit
  std::string last_mark;  // after the last
  std::size_t confirmed = 0;
};
Interrupted interrupted(const fs::path& file) {
  Interrupted i;
  {
    Writer writer(file, header());
    writer.append(line(1));
    writer.commit();
    i.mark = test::get(mark_of(file));
    i.confirmed = fs::file_size(file);
    writer.append(line(2));
    writer.commit();
    writer.append(line(3));
  }
  i.last_mark = test::get(mark_of(file));
  i.bytes = test::get(file);
  return i;
}

TEST_F(WriterTest, ATailTornAtAnyByteBehindTheMarkLosesNoConfirmedRecordAndIsKeptAside) {
  const Interrupted i = interrupted(file_);
  for (std::size_t size = i.confirmed; size < i.bytes.size(); ++size) {
    fs::remove(torn_of(file_));
    test::put(file_, std::string_view(i.bytes).substr(0, size));
    test::put(mark_of(file_), i.mark);
    const Content before = content(file_);
    ASSERT_GE(before.lines.size(), 1U);
    ASSERT_EQ(before.lines[0], line(1));
    {
      Writer writer(file_, header());
      ASSERT_TRUE(writer.resumed());
      writer.append(line(9));
      writer.finish("{}");
    }
    const Content after = content(file_);
    ASSERT_EQ(check(file_).exit(), Exit::ok) << size;
    ASSERT_EQ(std::vector(after.lines.begin(), after.lines.begin() + static_cast<std::ptrdiff_t>(before.lines.size())),
              before.lines);
    ASSERT_EQ(after.lines.back(), line(9));
    ASSERT_EQ(before.torn, fs::exists(torn_of(file_))) << size;
    if (!before.torn) continue;
    const std::string torn = test::get(torn_of(file_));
    ASSERT_TRUE(std::string_view(i.bytes).substr(0, size).ends_with(torn));
    ASSERT_EQ(after.lines[before.lines.size()], R"({"kind":"recovered","bytes":)" + std::to_string(torn.size()) + "}");
  }
}

TEST_F(WriterTest, DamageBehindTheMarkIsATornTailAndDamageBeforeItAnIntegrityError) {
  const Interrupted i = interrupted(file_);
  for (std::size_t at = 0; at < i.bytes.size(); ++at) {
    std::string bytes = i.bytes;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    test::put(file_, bytes);
    test::put(mark_of(file_), i.mark);
    fs::remove(torn_of(file_));
    const Exit expected = at < i.confirmed ? Exit::integrity : Exit::ok;
    ASSERT_EQ(exit_of([&] { (void)content(file_); }), expected) << at;
    ASSERT_EQ(exit_of([&] { Writer(file_, header()); }), expected) << at;
    if (at < i.confirmed) {
      ASSERT_EQ(test::get(file_), bytes) << "a damaged file must stay as it is";
    } else {
      ASSERT_EQ(content(file_).lines[0], line(1));
    }
  }
}

TEST_F(WriterTest, AFileShorterThanItsMarkIsAnIntegrityErrorAtEverySize) {
  const Interrupted i = interrupted(file_);
  for (std::size_t size = 0; size < i.bytes.size(); ++size) {
    test::put(file_, std::string_view(i.bytes).substr(0, size));
    test::put(mark_of(file_), i.last_mark);
    ASSERT_EQ(exit_of([&] { Writer(file_, header()); }), Exit::integrity) << size;
    ASSERT_EQ(fs::file_size(file_), size);
  }
}

TEST_F(WriterTest, WithoutAMarkOnlyAnIncompleteLastFrameIsCut) {
  const Interrupted i = interrupted(file_);
  fs::remove(mark_of(file_));
  for (std::size_t at = 0; at < i.bytes.size(); ++at) {
    std::string bytes = i.bytes;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    test::put(file_, bytes);
    const Exit exit = exit_of([&] { (void)content(file_); });
    // What passes as a torn tail is at most the last frame.
    if (exit == Exit::ok) {
      ASSERT_GT(content(file_).lines.size(), 1U) << at;
    }
  }
  for (std::size_t size = 1; size < i.bytes.size(); ++size) {
    test::put(file_, std::string_view(i.bytes).substr(0, size));
    fs::remove(mark_of(file_));
    fs::remove(torn_of(file_));
    Writer writer(file_, header());
    writer.finish("{}");
    ASSERT_EQ(check(file_).exit(), Exit::ok) << size;
  }
}

TEST_F(WriterTest, ATornEndIsCutAndWrittenAgainFromEveryByte) {
  std::string mark;
  {
    Writer writer(file_, header());
    writer.append(line(1));
    writer.commit();
    mark = test::get(mark_of(file_));
    writer.finish("{}");
  }
  const std::string whole = test::get(file_);
  const std::size_t confirmed = std::stoul(mark.substr(mark.find("offset") + 8));
  for (std::size_t size = confirmed; size <= whole.size(); ++size) {
    test::put(file_, std::string_view(whole).substr(0, size));
    test::put(mark_of(file_), mark);
    Writer writer(file_, header());
    ASSERT_EQ(writer.already_complete(), size == whole.size());
    if (size < whole.size()) writer.finish("{}");
    ASSERT_EQ(check(file_).exit(), Exit::ok) << size;
    ASSERT_EQ(content(file_).lines[0], line(1));
    ASSERT_FALSE(fs::exists(mark_of(file_)));
  }
}

TEST_F(WriterTest, AKilledWriterLosesNothingThatCommitConfirmed) {
  for (int round = 0; round < 5; ++round) {
    fs::remove(file_);
    fs::remove(mark_of(file_));
    int pipe_ends[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    const pid_t child = fork();
    if (child == 0) {
      Writer writer(file_, header());
      for (int n = 0;; ++n) {
        writer.append(line(n));
        if (n % 50 != 49) continue;
        writer.commit();
        const int confirmed = n + 1;
        if (write(pipe_ends[1], &confirmed, sizeof confirmed) < 0) _exit(1);
      }
    }
    close(pipe_ends[1]);
    int confirmed = 0;
    for (int i = 0; i <= round * 3; ++i)
      ASSERT_EQ(read(pipe_ends[0], &confirmed, sizeof confirmed), ssize_t{sizeof confirmed});
    kill(child, SIGKILL);
    ASSERT_EQ(waitpid(child, nullptr, 0), child);
    int last = 0;
    while (read(pipe_ends[0], &last, sizeof last) == sizeof last) confirmed = last;
    close(pipe_ends[0]);
    { Writer(file_, header()).finish("{}"); }
    const Content after = content(file_);
    ASSERT_GE(after.lines.size(), static_cast<std::size_t>(confirmed));
    for (int n = 0; n < confirmed; ++n) ASSERT_EQ(after.lines[static_cast<std::size_t>(n)], line(n));
  }
}

/// Lines that do not compress.
std::string noise(int n) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) bytes += static_cast<char>((n * 7919 + i * i * 31 + (n ^ i) * 131) % 251);
  return R"({"kind":"noise","n":)" + std::to_string(n) + R"(,"x":")" + to_hex(as_bytes(bytes)) + R"("})";
}

TEST_F(WriterTest, AFullDiskStopsTheWriterAndTheRunContinuesWhenThereIsSpace) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  int confirmed = 0;
  std::string text;
  {
    Writer writer(file_, header());
    const rlimit small{5000, before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    EXPECT_EQ(exit_of(
                  [&] {
                    for (int n = 0; n < 1000; ++n) {
                      writer.append(noise(n));
                      writer.commit();
                      confirmed = n + 1;
                    }
                  },
                  &text),
              Exit::input);
    EXPECT_NE(text.find("cannot write"), std::string::npos) << text;
    EXPECT_NE(text.find("run the same command again"), std::string::npos) << text;
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
    EXPECT_EQ(exit_of([&] { writer.append(noise(0)); }), Exit::input) << "the writer must stay dead";
    EXPECT_EQ(exit_of([&] { writer.finish("{}"); }), Exit::input);
  }
  ASSERT_GT(confirmed, 0);
  ASSERT_LT(confirmed, 1000);
  { Writer(file_, header()).finish("{}"); }
  const Content after = content(file_);
  ASSERT_GE(after.lines.size(), static_cast<std::size_t>(confirmed));
  for (int n = 0; n < confirmed; ++n) EXPECT_EQ(after.lines[static_cast<std::size_t>(n)], noise(n));
}

TEST_F(WriterTest, StartingOverNeverCostsAnotherStagesManifestOrTheInput) {
  write_small(file_);
  const std::string before = test::get(file_);
  Header other = header();
  other.stage = "transcode";
  EXPECT_EQ(exit_of([&] { Writer(file_, other, Restart::yes); }), Exit::usage);
  EXPECT_EQ(exit_of([&] { Writer(file_, other, Restart::no); }), Exit::usage);
  Header again = header();
  again.inputs = {{"a.wb", content(file_).head}};
  EXPECT_EQ(exit_of([&] { Writer(file_, again, Restart::yes); }), Exit::usage);
  EXPECT_EQ(test::get(file_), before);
  Writer(file_, header(R"({"deep":false})"), Restart::yes).finish("{}");
  EXPECT_TRUE(content(file_).lines.empty());
}

TEST_F(WriterTest, ARunWithoutARecordLeavesNoFileBehind) {
  { Writer writer(file_, header()); }
  EXPECT_FALSE(fs::exists(file_));
  EXPECT_FALSE(fs::exists(file_.string() + ".sync"));
  { Writer(file_, header()).commit(); }
  EXPECT_TRUE(fs::exists(file_)) << "something was done that the next run must know of";
  fs::remove(file_);
  fs::remove(file_.string() + ".sync");
  { Writer(file_, header()).append(line(1)); }
  EXPECT_TRUE(fs::exists(file_));
  { Writer writer(file_, header()); }  // continued, and nothing added
  EXPECT_TRUE(fs::exists(file_));
}

}  // namespace
}  // namespace waybill::manifest
