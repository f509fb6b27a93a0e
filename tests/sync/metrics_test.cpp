// SPDX-License-Identifier: Apache-2.0
#include "sync/metrics.hpp"

#include "support/folder.hpp"

#include <regex.h>
#include <set>
#include <sstream>

namespace waybill {
namespace {

class Pattern {
 public:
  explicit Pattern(const char* text) { EXPECT_EQ(::regcomp(&compiled_, text, REG_EXTENDED | REG_NOSUB), 0); }
  ~Pattern() { ::regfree(&compiled_); }
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;
  [[nodiscard]] bool fits(const std::string& line) const {
    return ::regexec(&compiled_, line.c_str(), 0, nullptr, 0) == 0;
  }

 private:
  regex_t compiled_{};
};

class SyncMetrics : public test::InFolder {
 protected:
  void SetUp() override {
    test::InFolder::SetUp();
    plan_.name = "general \"east\" \\ wing\n";
    plan_.metrics = folder_ / "waybill.prom";
    run_.number = 7;
    run_.ends["load"] = {"load", Exit::ok, 1.5, 5, 1000, true, ""};
    run_.ends["verify"] = {"verify", Exit::exceptions, 0.25, 5, 1000, true, ""};
    counts_.total_loaded = 12345678901;
  }
  std::string text(Exit exit = Exit::ok) {
    return sync::metrics_text(plan_, {exit, &run_, counts_, 1795790000.5, 1795790000.5});
  }
  sync::Plan plan_;
  sync::RunRecord run_;
  sync::Counts counts_;
};

TEST_F(SyncMetrics, AreInTheTextExpositionFormat) {
  const Pattern sample(
      R"re(^waybill_[a-z_]+[{]project="([\\].|[^"\\])*"(,[a-z]+="[a-z_]+")?[}] -?[0-9]+([.][0-9]+)?$)re");
  const Pattern comment(R"(^# (HELP waybill_[a-z_]+ [A-Z0-9].*[.]|TYPE waybill_[a-z_]+ (gauge|counter))$)");
  std::set<std::string> described, samples;
  std::istringstream lines(text());
  for (std::string line, name; std::getline(lines, line);) {
    if (line.starts_with('#')) {
      EXPECT_TRUE(comment.fits(line)) << line;
      if (line.starts_with("# HELP ")) {
        name = line.substr(7, line.find(' ', 7) - 7);
        EXPECT_TRUE(described.insert(name).second) << name << " is described twice";
      }
      continue;
    }
    EXPECT_TRUE(sample.fits(line)) << line;
    EXPECT_EQ(line.substr(0, line.find('{')), name) << "a sample stands under its own description";
    EXPECT_TRUE(samples.insert(line.substr(0, line.rfind(' '))).second) << "twice: " << line;
    EXPECT_EQ(name.ends_with("_total"), text().find("# TYPE " + name + " counter") != std::string::npos) << name;
  }
  EXPECT_TRUE(text().ends_with('\n'));
  EXPECT_NE(text().find(R"(project="general \"east\" \\ wing\n")"), std::string::npos);
  EXPECT_NE(text().find("} 12345678901\n"), std::string::npos) << "large numbers keep their digits";
  EXPECT_NE(text().find("} 1795790000.500\n"), std::string::npos);
}

TEST_F(SyncMetrics, RememberTheLastSuccessThroughFailures) {
  EXPECT_EQ(sync::earlier_success(plan_), 0);
  sync::write_metrics(plan_, {Exit::ok, &run_, counts_, 1795790000, 1795790000});
  EXPECT_EQ(sync::earlier_success(plan_), 1795790000);
  sync::write_metrics(plan_, {Exit::peer, nullptr, counts_, sync::earlier_success(plan_), 1795799999});
  EXPECT_EQ(sync::earlier_success(plan_), 1795790000);
  EXPECT_NE(test::get(plan_.metrics).find("last_exit_code"), std::string::npos);
}

}  // namespace
}  // namespace waybill
