// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/sha256.hpp"
#include "core/text.hpp"
#include "manifest/reader.hpp"
#include "manifest/writer.hpp"
#include "support/dicom_builder.hpp"
#include "support/temp_folder.hpp"
#include "support/waiting.hpp"

#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

/// Real DICOM nodes on loopback and manifests to send to them.
namespace waybill::test {

inline std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

inline std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// Starts a program; stdout and stderr go to `log`.
inline pid_t spawn(const std::vector<std::string>& words, const fs::path& log) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  (void)!std::freopen(log.c_str(), "w", stdout);
  ::dup2(1, 2);
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  ::_exit(127);
}

inline int wait_for(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// Whether the program is over; its exit code waits for `wait_for`.
inline bool has_ended(pid_t child) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != 0;
}

/// A program that is killed at the end of the scope.
class Program {
 public:
  Program(const std::vector<std::string>& words, const fs::path& log) : child_(spawn(words, log)) {}
  ~Program() { (void)stop(SIGKILL); }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  /// Its exit code; 0 when it was stopped before.
  int stop(int signal) {
    if (child_ == 0) return 0;
    ::kill(child_, signal);
    return wait_for(std::exchange(child_, 0));
  }
  [[nodiscard]] bool has_ended() const { return test::has_ended(child_); }

 private:
  pid_t child_;
};

struct Ran {
  int exit = 0;
  std::string text;
};
inline Ran run(const std::vector<std::string>& words, const fs::path& log) {
  const int exit = wait_for(spawn(words, log));
  return {exit, slurp(log)};
}

inline std::string tool(const std::string& name) { return environment("WAYBILL_BIN") + "/waybill-" + name; }

enum class CalledTitle { any, checked };

/// An Orthanc of its own, ended by its id.
class Orthanc {
 public:
  explicit Orthanc(CalledTitle title = CalledTitle::any) : title_(title) { start(); }
  ~Orthanc() { stop(); }
  Orthanc(const Orthanc&) = delete;
  Orthanc& operator=(const Orthanc&) = delete;

  void stop() const { (void)run({script(), "stop", (folder_ / "o").string()}, folder_ / "stop.log"); }
  /// The second time on the same ports and with what it stored before.
  void start() {
    std::vector<std::string> words{"/usr/bin/env",
                                   title_ == CalledTitle::any ? "CHECK_CALLED_AET=false" : "CHECK_CALLED_AET=true",
                                   script(), "start", (folder_ / "o").string()};
    if (dicom_port_ != 0) words.insert(words.end(), {std::to_string(dicom_port_), std::to_string(http_port_)});
    const Ran started = run(words, folder_ / "start.log");
    if (started.exit != 0) throw std::runtime_error("Orthanc did not start: " + started.text);
    std::ifstream(folder_ / "o/ports") >> dicom_port_ >> http_port_;
  }

  [[nodiscard]] int dicom_port() const { return dicom_port_; }
  [[nodiscard]] int http_port() const { return http_port_; }
  [[nodiscard]] std::string url() const { return "dicom://ORTHANC@127.0.0.1:" + std::to_string(dicom_port_); }
  /// C-STORE requests it has taken, from its log.
  [[nodiscard]] std::size_t stores() const {
    const std::string log = slurp(folder_ / "o/orthanc.log");
    std::size_t count = 0;
    for (std::size_t at = log.find(kStoreLine); at != std::string::npos; at = log.find(kStoreLine, at + 1)) ++count;
    return count;
  }
  [[nodiscard]] pid_t pid() const { return std::stoi(slurp(folder_ / "o/pid")); }
  /// Enters a node on loopback as one it may call.
  void know(const std::string& title, int port) const {
    const std::string program =
        "import urllib.request as u,sys,json\n"
        "d=json.dumps([sys.argv[2],'127.0.0.1',int(sys.argv[3])]).encode()\n"
        "u.urlopen(u.Request('http://127.0.0.1:%s/modalities/'%sys.argv[1]+sys.argv[2],d,method='PUT'))\n";
    const Ran done = run({"/usr/bin/env", "no_proxy=127.0.0.1", "/usr/bin/python3", "-c", program,
                          std::to_string(http_port_), title, std::to_string(port)},
                         folder_ / "know.log");
    if (done.exit != 0) throw std::runtime_error(done.text);
  }
  /// Removes one instance behind everybody's back, through the REST interface.
  /// Puts a file there through its REST interface.
  void put(const fs::path& file) const {
    const std::string program =
        "import urllib.request as u,sys\n"
        "u.urlopen(u.Request('http://127.0.0.1:%s/instances'%sys.argv[1],open(sys.argv[2],'rb').read()))\n";
    const Ran done = run({"/usr/bin/env", "no_proxy=127.0.0.1", "/usr/bin/python3", "-c", program,
                          std::to_string(http_port_), file.string()},
                         folder_ / "put.log");
    if (done.exit != 0) throw std::runtime_error(done.text);
  }
  void remove(const std::string& sop_instance) const {
    const std::string program =
        "import urllib.request as u,sys\nb='http://127.0.0.1:%s'%sys.argv[1]\nimport json\n"
        "i=json.load(u.urlopen(u.Request(b+'/tools/lookup',sys.argv[2].encode())))[0]['ID']\n"
        "u.urlopen(u.Request(b+'/instances/'+i,method='DELETE'))\n";
    const Ran done = run({"/usr/bin/env", "no_proxy=127.0.0.1", "/usr/bin/python3", "-c", program,
                          std::to_string(http_port_), sop_instance},
                         folder_ / "remove.log");
    if (done.exit != 0) throw std::runtime_error(done.text);
  }

 private:
  static constexpr std::string_view kStoreLine = "Incoming Store request";
  [[nodiscard]] static std::string script() { return environment("WAYBILL_SOURCE") + "/scripts/orthanc"; }
  TempFolder folder_;
  CalledTitle title_;
  int dicom_port_ = 0, http_port_ = 0;
};

/// A way to an Orthanc that loses what belongs to one object; see tests/support/silent-peer.
class SilentPeer {
 public:
  SilentPeer(const Orthanc& node, const std::string& sop_instance, const std::string& mode)
      : program_({environment("WAYBILL_SOURCE") + "/tests/support/silent-peer", std::to_string(node.dicom_port()),
                  sop_instance, mode, (folder_ / "port").string()},
                 folder_ / "log") {
    wait_until([&] { return fs::exists(folder_ / "port") || program_.has_ended(); });
  }
  [[nodiscard]] std::string url() const { return "dicom://ORTHANC@127.0.0.1:" + slurp(folder_ / "port"); }

 private:
  TempFolder folder_;
  Program program_;
};

/// A small explicit little endian secondary capture object.
inline std::string small_object(const std::string& study, const std::string& series, const std::string& instance,
                                std::uint16_t grey) {
  using dicom::tag;
  DicomBuilder b;
  b.text(tag(0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.7").text(tag(0x0008, 0x0018), "UI", instance);
  b.text(tag(0x0008, 0x0060), "CS", "OT")
      .text(tag(0x0010, 0x0010), "PN", "TEST^ONE")
      .text(tag(0x0010, 0x0020), "LO", "T1");
  b.text(tag(0x0020, 0x000D), "UI", study).text(tag(0x0020, 0x000E), "UI", series).text(tag(0x0020, 0x0013), "IS", "1");
  b.u16(tag(0x0028, 0x0002), 1)
      .text(tag(0x0028, 0x0004), "CS", "MONOCHROME2")
      .u16(tag(0x0028, 0x0010), 2)
      .u16(tag(0x0028, 0x0011), 2);
  b.u16(tag(0x0028, 0x0100), 16).u16(tag(0x0028, 0x0101), 16).u16(tag(0x0028, 0x0102), 15).u16(tag(0x0028, 0x0103), 0);
  b.words(tag(0x7FE0, 0x0010), {grey, 1, 2, 3});
  return DicomBuilder::part10(b.str(), "1.2.840.10008.1.2.1", "1.2.840.10008.5.1.4.1.1.7", instance);
}

/// `studies` x `objects` files in `folder` and the complete manifest scan.wb that lists them; the first study has that
/// number.
inline std::vector<manifest::Object> make_archive(const TempFolder& folder, int studies, int objects, int first = 1) {
  std::vector<manifest::Object> all;
  manifest::Header header;
  header.stage = "scan";
  header.run = "00000000-0000-4000-8000-000000000000";
  header.tool = "waybill test";
  header.created = "2026-01-01T00:00:00Z";
  manifest::Writer writer(folder / "scan.wb", header);
  for (int s = 0; s < studies; ++s) {
    for (int i = 0; i < objects; ++i) {
      manifest::Object object;
      object.study = "1.2.3." + std::to_string(s + first);
      object.series = *object.study + ".1";
      object.sop_instance = *object.series + "." + std::to_string(i + 1);
      object.sop_class = "1.2.840.10008.5.1.4.1.1.7";
      object.transfer_syntax = "1.2.840.10008.1.2.1";
      object.rows = 2;
      const std::string bytes =
          small_object(*object.study, *object.series, *object.sop_instance, static_cast<std::uint16_t>(i));
      const fs::path path = folder / (*object.sop_instance + ".dcm");
      std::ofstream(path, std::ios::binary) << bytes;
      object.source.path = path_to_text(path.string());
      object.source.size = bytes.size();
      object.file_sha256 = Sha256::of(bytes).hex();
      object.id = manifest::object_id(object.source);
      writer.append_record(object);
      all.push_back(object);
    }
  }
  writer.finish("{}");
  return all;
}

/// The object records of a manifest by SOP Instance UID; how often an id occurs is checked.
inline std::map<std::string, manifest::Object> objects_of(const fs::path& path) {
  std::map<std::string, manifest::Object> objects;
  manifest::Reader reader(path);
  while (const auto record = reader.next()) {
    if (const auto* object = std::get_if<manifest::Object>(&*record)) {
      EXPECT_TRUE(objects.emplace(object->sop_instance.value_or(object->id), *object).second) << "listed twice";
    }
  }
  return objects;
}

/// A port nobody listens on (it was free a moment ago).
inline std::string dead_url() { return "dicom://NOBODY@127.0.0.1:9"; }

}  // namespace waybill::test
