// SPDX-License-Identifier: Apache-2.0
// What the system could show or keep of a tool at work: its memory after a crash, its arguments and those of the
// programs it starts, and files that others may read before their rights are set. Looked at from outside, with strace.
#include "phi.hpp"
#include "support/free_port.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <array>
#include <regex>

namespace waybill::test {
namespace {

/// A port that takes connections and never says a word.
class SilentPort {
 public:
  SilentPort() {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    const bool listens = ::bind(fd_, reinterpret_cast<sockaddr*>(&at), size) == 0 && ::listen(fd_, 64) == 0;
    if (!listens || ::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size) != 0)
      throw std::runtime_error("no port to listen on");
    port_ = ntohs(at.sin_port);
  }
  ~SilentPort() { ::close(fd_); }
  SilentPort(const SilentPort&) = delete;
  SilentPort& operator=(const SilentPort&) = delete;
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] std::string url() const { return "dicom://SILENT@" + address(); }

 private:
  int fd_ = -1;
  int port_ = 0;
};

class Guard : public Phi {
 protected:
  void SetUp() override {
    Phi::SetUp();
    for (const std::string project : {"project", "ABRT", "SEGV"}) put_plan(project);
  }
  /// Each killed run has a project of its own: the stage that it leaves behind keeps the lock of that.
  void put_plan(const std::string& project) {
    put(folder_ / ("plan-" + project + ".toml"),
        "project = \"" + project +
            "\"\nname = \"test\"\n[scan]\nsources = [\"in\"]\ndeep = true\n[reconcile]\nris = "
            "\"exams.csv\"\nhl7 = [\"hl7\"]\n[load]\nto = \"" +
            silent_.url() + "\"\n");
  }
  /// Runs a command line of one tool, without limit of core files, and kills it in the middle: what it said and left.
  [[nodiscard]] std::string killed(const std::string& command, const std::string& signal) const {
    fs::remove_all(folder_ / "cores");
    fs::create_directory(folder_ / "cores");
    return shell(
               "signal=" + signal + "; ulimit -c unlimited; mkfifo cores/f; cd cores; exec 3<>f; " + command +
               " 3>&- <f >said 2>&1 & for i in $(seq 100); do grep -qs 'core file size  *0 ' /proc/$!/limits && break; "
               "sleep 0.05; done; sleep 0.4; kill -" +
               signal + " $!; wait $! 2>/dev/null; echo \"status $?\"; ls | grep -v -e said -e '^f$'")
        .text;
  }
  const SilentPort silent_;
};

TEST_F(Guard, NothingThatKillsAToolLeavesItsMemoryBehind) {
  const Ran control = shell("ulimit -c unlimited; mkdir cores; cd cores; sleep 9 & sleep 0.2; kill -ABRT $!; wait; ls");
  if (control.text.find("core") == std::string::npos)
    GTEST_SKIP() << "this system keeps no core files: " << control.text;
  ASSERT_LE(shell("$B/waybill-scan in --deep -o scan.wb --quiet").exit, 1);
  (void)shell("$B/waybill-manifest stats scan.wb --audit-spool spool --audit syslog+tls://127.0.0.1:9");  // they wait
  const std::string manifest = "$B/waybill-manifest cat -", port = std::to_string(free_port());
  const std::vector<std::string> commands = {
      "$B/waybill-listen --mllp " + port + " -o journal.wb",
      "WAYBILL_AUDIT_SPOOL=../spool WAYBILL_AUDIT=syslog+tls://" + silent_.address() + " $B/waybill-audit flush",
      "$B/waybill-sync ../plan-$signal.toml",
      "$B/waybill-load ../scan.wb --to " + silent_.url() + " -o load.wb --timeout 60",
      "$B/waybill-verify ../scan.wb --against " + silent_.url() + " -o verify.wb --timeout 60",
      "$B/waybill-scan /usr --deep -o usr.wb",  // goes on for a while
      "$B/waybill-simpacs --store store --port 0",
      "$B/waybill-transcode - --to jpeg-ls --out staged -o transcode.wb",
      "$B/waybill-reconcile - --ris ../exams.csv -o reconcile.wb",
      "$B/waybill-pack - -o backup",
      "$B/waybill-report -",
      manifest,
  };
  for (const std::string& command : commands) {
    for (const auto& [signal, status] : {std::pair{"ABRT", "status 134"}, std::pair{"SEGV", "status 139"}}) {
      const std::string found = killed(command, signal);
      EXPECT_NE(found.find(status), std::string::npos) << command << " was to be killed by " << signal << ": " << found;
      EXPECT_EQ(found.find("core"), std::string::npos) << command << " left " << found;
    }
  }
}

/// What strace saw of a tool and all that it started: the programs with their arguments and environment, and what makes
/// a file or sets its rights.
class Trace {
 public:
  explicit Trace(std::string text) : text_(std::move(text)) {}

  /// Lines that make a file or folder before the rights of new ones were limited to their owner, or give others some.
  [[nodiscard]] std::string careless() {
    static const std::regex wide(
        R"(^(?:\d+ +)?(?:umask\((?!077\))|f?chmod(?:at)?\([^)]*, 0\d*(?:[1-7]\d|[1-7])[,)]).*)");
    bool limited = false;
    std::string out;
    std::istringstream in(text_);
    for (std::string line; std::getline(in, line);) {
      if (line.find("umask(077)") != std::string::npos) limited = true;
      const auto has = [&](const char* call) { return line.find(call) != std::string::npos; };
      const bool makes = has("O_CREAT") || has("mkdir(") || has("mkdirat(") || has("mknod") || has("O_TMPFILE");
      made_ += makes ? 1 : 0;
      if ((makes && !limited) || std::regex_match(line, wide)) out += line + "\n";
    }
    return out;
  }
  /// Lines of programs that were started.
  [[nodiscard]] std::string programs() const {
    std::string out;
    std::istringstream in(text_);
    for (std::string line; std::getline(in, line);) {
      if (line.find(" execve(") != std::string::npos || line.starts_with("execve(")) out += line + "\n";
    }
    return out;
  }
  [[nodiscard]] std::size_t made() const { return made_; }

 private:
  std::string text_;
  std::size_t made_ = 0;
};

TEST_F(Guard, NoProgramIsGivenAPatientAndNoFileIsEverOpenToOthers) {
  if (shell("strace -V").exit != 0) GTEST_SKIP() << "strace is not installed";
  for (const char* careless : {"touch x", "mkdir tmp/x", "chmod 640 exams.csv"}) {
    (void)shell("strace -f -o '" + (log_ / "trace").string() + "' " + careless);
    EXPECT_NE(Trace(slurp(log_ / "trace")).careless(), "") << "it is seen that others do: " << careless;
  }
  (void)shell("rm x; rmdir tmp/x");
  SimPacs pacs;
  const std::string port = std::to_string(free_port()), to = " --to " + pacs.url();
  std::ofstream(folder_ / "sync.toml") << std::regex_replace(slurp(folder_ / "plan-project.toml"),
                                                             std::regex(silent_.url()), pacs.url());
  ::chmod((folder_ / "sync.toml").c_str(), 0600);
  const std::vector<std::pair<std::string, int>> commands = {
      {"scan in --deep -o scan.wb", 1},
      {"reconcile scan.wb --ris exams.csv --hl7 hl7 -o reconcile.wb --exceptions x.csv --worklist w.html", 1},
      {"transcode scan.wb --to jpeg-ls --out staged -o transcode.wb --edits reconcile.wb --unmatched stage", 5},
      {"load transcode.wb -o load.wb" + to, 1},
      {"verify load.wb -o verify.wb --level content --against " + pacs.url(), 1},
      {"report scan.wb reconcile.wb transcode.wb load.wb verify.wb --html r.html --csv r.csv --report-json r.json "
       "--lookup who.csv --package package",
       5},
      {"pack scan.wb -o backup", 1},
      {"unpack backup --to restored", 0},
      {"manifest keygen -o signer", 0},
      {"manifest sign scan.wb --key signer --secret key", 0},
      {"manifest prove 1.2.7.0 scan.wb --secret key -o proof.json", 0},
      {"manifest export scan.wb --csv e.csv --studies s.csv --inventory i.dcm", 0},
      {"manifest sort scan.wb --by study -o sorted.wb", 0},
      {"manifest filter scan.wb --study 1.2.7.1 -o one.wb", 0},
      {"manifest diff scan.wb one.wb --csv d.csv", 1},
      {"audit check audit.log", 1},
      {"audit flush --audit-spool spool --audit syslog+tls://127.0.0.1:" + port, 4},
  };
  std::size_t made = 0;
  std::string programs;
  const auto traced = [&](const std::string& command, int most, const std::string& beside = "",
                          const std::string& under = "") -> std::string {
    fs::remove(log_ / "trace");
    const std::string line =
        "umask 000; mkdir -p -m 0700 tmp; export TMPDIR=$PWD/tmp WAYBILL_AUDIT=file://$PWD/audit.log; " + beside +
        "strace -f -v -qq -s 65536 -o '" + (log_ / "trace").string() +
        "' -e trace=execve,umask,open,openat,creat,mkdir,mkdirat,mknod,mknodat,chmod,fchmod,fchmodat " + under +
        " $B/waybill " + command;
    const Ran ran = shell(line);
    EXPECT_LE(ran.exit, most) << command << "\n" << ran.text;
    EXPECT_NE(ran.exit, 2) << command << "\n" << ran.text;
    expect_clean(ran.text, command);
    Trace trace(slurp(log_ / "trace"));
    EXPECT_EQ(trace.careless(), "") << command;
    made += trace.made();
    programs += trace.programs();
    return trace.programs();
  };
  for (const auto& [command, most] : commands) (void)traced(command, most);
  const std::string stages = traced("sync sync.toml", 5);
  for (const char* stage : {"waybill-scan", "waybill-reconcile", "waybill-load", "waybill-verify", "waybill-report"})
    EXPECT_NE(stages.find(stage), std::string::npos) << stage << " is a program that sync starts: " << stages;
  const std::string message =
      "printf '\\vMSH|^~\\\\&|A|B|C|D|20200101||ADT^A08|1|P|2.3\\rPID|1||MRNX7731990^^^H||"
      "QUOKKAVILLE^ANNE||19310716|F\\r\\034\\r' >/dev/tcp/127.0.0.1/" +
      port;
  (void)traced("listen --mllp " + port + " -o journal.wb", 0,
               "(for i in $(seq 60); do " + message + " && break; sleep 0.1; done 2>/dev/null) & ",
               "timeout --preserve-status -s TERM 5");
  EXPECT_NE(shell("$B/waybill-manifest cat journal.wb").text.find("MRNX7731990"), std::string::npos) << "it was taken";
  EXPECT_GT(made, 60U) << "what makes files was seen";
  EXPECT_NE(programs.find("waybill_codec"), std::string::npos) << "decoders are programs of their own";
  EXPECT_NE(programs.find("TMPDIR="), std::string::npos) << "the environment was seen";
  expect_clean(programs, "arguments and environment of the programs that were started");
  EXPECT_EQ(shell("find . -mindepth 1 -perm /077 ! -path './in/*' ! -path './hl7/*' ! -name exams.csv ! -name "
                  "'plan-*.toml' ! -path ./tmp ! -type l")
                .text,
            "");
}

}  // namespace
}  // namespace waybill::test
