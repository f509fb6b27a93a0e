// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/clock.hpp"
#include "dicom/toolkit.hpp"
#include "support/folder.hpp"
#include "support/images.hpp"
#include "transcode/run.hpp"

#include <string>
#include <vector>

/// An archive made by code, scanned by the tool and transcoded by the library.
namespace waybill::transcode {

using namespace waybill::test;
using manifest::Bucket;
using manifest::Object;

inline const dicom::Toolkit* const kToolkit = new dicom::Toolkit;

/// An archive in a folder, scanned by the tool as a user would.
class Transcode : public InFolder {
 protected:
  void SetUp() override {
    InFolder::SetUp();
    if (!has_tools()) GTEST_SKIP() << "WAYBILL_BIN names no built tools";
    fs::create_directories(folder_ / "archive");
  }

  void add(const std::string& name, const std::string& file) const { put(folder_ / "archive" / name, file); }

  [[nodiscard]] Ran in_folder(const std::string& command) const {
    return shell("cd " + folder_.string() + " && " + command);
  }

  fs::path scan(const std::string& what = "archive", const std::string& manifest = "scan.wb") {
    const int exit =
        in_folder("$B/waybill-scan " + what + " --deep --quiet --restart -o " + manifest + " > scan.log").exit;
    EXPECT_TRUE(exit == 0 || exit == 1) << exit;
    return folder_ / manifest;
  }

  [[nodiscard]] Options options(const std::string& to, unsigned threads = 2) const {
    Options o;
    o.input = folder_ / "scan.wb";
    o.to = to;
    o.out = folder_ / "staged";
    o.threads = threads;
    return o;
  }

  /// Transcodes into `output` from the start.
  std::vector<Object> transcode(const Options& o, const std::string& output = "transcode.wb") {
    fs::remove(folder_ / output);
    fs::remove_all(o.out);
    continue_run(o, output);
    return objects_of(folder_ / output);
  }
  void continue_run(const Options& o, const std::string& output = "transcode.wb") {
    manifest::Writer writer(folder_ / output, header_of(o));
    tally_ = run(o, *start_codecs(o), writer, [](auto, auto, auto) {});
  }

  /// The only object of transcode.wb after it was taken back.
  Object undone() {
    Options back;
    back.input = folder_ / "transcode.wb";
    back.out = folder_ / "restored";
    back.undo = true;
    back.threads = 1;
    return transcode(back, "restored.wb").at(0);
  }

  /// Pixel bytes of a staged file after DCMTK's own decoder `decoder`.
  [[nodiscard]] std::string decoded(const std::string& decoder, const std::string& path) const {
    const Ran ran = in_folder("rm -rf raw && mkdir raw && " + decoder + " " + path +
                              " raw/plain.dcm 2>&1 && dcmdump +W raw raw/plain.dcm > raw/log 2>&1 && cat raw/*.raw");
    EXPECT_EQ(ran.exit, 0) << ran.out;
    return ran.out;
  }

  Tally tally_;
};

inline manifest::Study decided(const std::string& study, const std::string& decision,
                               std::vector<manifest::Edit> edits) {
  manifest::Study s;
  s.study = study;
  s.instances = 1;
  s.rule = "R1";
  s.decision = decision;
  s.edits = std::move(edits);
  return s;
}

inline void write_decisions(const fs::path& path, const fs::path& scan, const std::vector<manifest::Study>& studies) {
  manifest::Header header;
  header.stage = "reconcile";
  header.run = random_uuid();
  header.tool = "waybill test";
  header.created = utc_now();
  header.inputs = {manifest::input_of(scan)};
  manifest::Writer writer(path, header);
  for (const auto& study : studies) writer.append_record(study);
  writer.finish("{}");
}

}  // namespace waybill::transcode
