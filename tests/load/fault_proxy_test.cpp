// SPDX-License-Identifier: Apache-2.0
// A load through a network that breaks: whatever byte it breaks at, every object is at the target once, and the ledger
// closes. WAYBILL_FAULTS=all tries every byte of an association, either way, in each way of breaking.
#include "support/fault_proxy.hpp"
#include "dicom/toolkit.hpp"
#include "load/run.hpp"
#include "support/simpacs.hpp"
#include "verify/run.hpp"

#include <algorithm>
#include <cstring>
#include <random>

namespace waybill {

namespace {

using test::NetworkFault;
using Kind = NetworkFault::Kind;
using Way = NetworkFault::Way;

/// One load of three objects that nobody sent before, through one proxy after another.
class FaultyNetwork : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (std::filesystem::is_directory("/dev/shm"))
      ::setenv("TMPDIR", "/dev/shm", 1);  // nothing is tried with disks here
    toolkit_ = std::make_unique<dicom::Toolkit>();
    pacs_ = std::make_unique<test::SimPacs>();
  }
  static void TearDownTestSuite() {
    pacs_.reset();
    toolkit_.reset();
  }

  struct Trial {
    test::TempFolder folder;
    std::vector<manifest::Object> objects;
    explicit Trial(int studies = 1, int count = 3) : objects(test::make_archive(folder, studies, count, next_study_)) {
      next_study_ += studies;
    }
  };
  static load::Options options(const Trial& trial, int port) {
    load::Options options;
    options.manifest = trial.folder / "scan.wb";
    options.output = trial.folder / "load.wb";
    options.target = net::parse_url("dicom://SIMPACS@127.0.0.1:" + std::to_string(port));
    options.timeouts = {std::chrono::seconds(1), std::chrono::seconds(1), std::chrono::seconds(1)};
    options.associations = 1;
    options.ask_again = std::chrono::milliseconds(20);
    options.waits.first = std::chrono::milliseconds(5);
    return options;
  }
  /// Loads through the fault, and by the same command again where it ended the run; whether the fault was met.
  static bool load(const Trial& trial, const NetworkFault& fault) {
    const test::FaultProxy proxy(pacs_->port(), fault);
    load::Tally tally;
    for (int tries = 1;; ++tries) {
      try {
        tally = load::run(options(trial, proxy.port()));
        break;
      } catch (const net::PeerError&) {  // exit 4; more than once only on a machine that stands still for seconds
        if (tries == 5) throw;
      }
    }
    EXPECT_TRUE(tally.closes()) << text_of(fault);
    return proxy.struck();
  }
  static std::string text_of(const NetworkFault& fault) {
    return "kind " + std::to_string(static_cast<int>(fault.kind)) + (fault.way == Way::to_node ? " to" : " from") +
           " the node, connection " + std::to_string(fault.connection) + ", byte " + std::to_string(fault.at);
  }
  static void expect_once(const std::vector<Trial>& trials, const std::vector<NetworkFault>& faults) {
    const auto arrivals = pacs_->arrivals();
    for (std::size_t i = 0; i < trials.size(); ++i) {
      const auto loaded = test::objects_of(trials[i].folder / "load.wb");
      for (const manifest::Object& object : trials[i].objects) {
        const std::string& uid = *object.sop_instance;
        const auto arrived = arrivals.find(uid);
        EXPECT_EQ(arrived == arrivals.end() ? 0 : arrived->second, 1) << uid << ", " << text_of(faults[i]);
        EXPECT_TRUE(loaded.contains(uid) && loaded.at(uid).bucket == manifest::Bucket::loaded)
            << uid << ", " << text_of(faults[i]);
      }
    }
  }
  /// Bytes that a whole load sends and receives on its second connection, the one that stores.
  struct Lengths {
    std::uint64_t to_node = 0, to_client = 0;
  };
  static Lengths lengths() {
    const auto fits = [](Way way, std::uint64_t at) {
      const Trial trial;
      return load(trial, {Kind::cut, way, at, 1});
    };
    const auto longest = [&](Way way) {
      std::uint64_t least = 0, most = 1U << 14U;
      while (most - least > 1) {
        const std::uint64_t middle = (least + most) / 2;
        (fits(way, middle) ? least : most) = middle;
      }
      return most;
    };
    return {longest(Way::to_node), longest(Way::to_client)};
  }

  static std::unique_ptr<dicom::Toolkit> toolkit_;
  static std::unique_ptr<test::SimPacs> pacs_;
  static int next_study_;
};
std::unique_ptr<dicom::Toolkit> FaultyNetwork::toolkit_;
std::unique_ptr<test::SimPacs> FaultyNetwork::pacs_;
int FaultyNetwork::next_study_ = 1;

}  // namespace

TEST_F(FaultyNetwork, ACutAtAnyByteLosesAndDoublesNothing) {
  const Lengths lengths = this->lengths();
  EXPECT_GT(lengths.to_node, 1000U);
  EXPECT_GT(lengths.to_client, 300U);
  std::vector<NetworkFault> faults;
  for (const Kind kind : {Kind::cut, Kind::reset, Kind::half_close}) {
    for (const Way way : {Way::to_node, Way::to_client}) {
      const std::uint64_t length = way == Way::to_node ? lengths.to_node : lengths.to_client;
      for (std::uint64_t at = 0; at < length; ++at) faults.push_back({kind, way, at, 1});
      if (kind != Kind::half_close) faults.push_back({kind, way, 40, 0});
    }
  }
  const std::size_t all = faults.size();
  if (test::environment("WAYBILL_FAULTS") != "all") {
    std::mt19937 chance{20261127};
    std::ranges::shuffle(faults, chance);
    faults.resize(90);
  }
  std::vector<Trial> trials(faults.size());
  std::size_t struck = 0;
  for (std::size_t i = 0; i < faults.size(); ++i) struck += load(trials[i], faults[i]) ? 1 : 0;
  expect_once(trials, faults);
  std::printf("%zu of %zu schedules, %zu struck\n", faults.size(), all, struck);
  EXPECT_GE(struck, faults.size() * 9 / 10);
}

TEST_F(FaultyNetwork, AStallCostsItsTimeOutAndNothingElse) {
  const std::vector<NetworkFault> faults{{Kind::stall, Way::to_node, 700, 1}, {Kind::stall, Way::to_client, 250, 1}};
  std::vector<Trial> trials(faults.size());
  for (std::size_t i = 0; i < faults.size(); ++i) EXPECT_TRUE(load(trials[i], faults[i]));
  expect_once(trials, faults);
}

TEST_F(FaultyNetwork, SingleBytesAndLatencyChangeNothing) {
  NetworkFault dribble, slow;
  dribble.dribble = true;
  slow.latency = std::chrono::milliseconds(30);
  const std::vector<NetworkFault> faults{dribble, slow};
  std::vector<Trial> trials(faults.size());
  for (std::size_t i = 0; i < faults.size(); ++i) (void)load(trials[i], faults[i]);
  expect_once(trials, faults);
}

TEST_F(FaultyNetwork, AssociationsMakeUpForLatency) {
  NetworkFault slow;
  slow.latency = std::chrono::milliseconds(50);  // either way
  const test::FaultProxy proxy(pacs_->port(), slow);
  const auto seconds = [&](unsigned associations) {
    const Trial trial(8, 3);
    load::Options several = options(trial, proxy.port());
    several.associations = associations;
    const auto begin = std::chrono::steady_clock::now();
    const load::Tally tally = load::run(several);
    EXPECT_EQ(tally.buckets.at("loaded"), 24U);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  const double one = seconds(1), eight = seconds(8);
  std::printf("24 objects at 100 ms: %.2f s on one association, %.2f s on eight\n", one, eight);
  EXPECT_GT(one, 24 * 0.1);
  EXPECT_LT(eight, one / 2);
}

/// A bit that TCP did not notice: what counts as verified is at the target with the bytes that were sent.
TEST_F(FaultyNetwork, AFlippedBitIsNeverVerified) {
  std::mt19937 chance{20261127};
  std::size_t wrong = 0;
  for (int i = 0; i < 25; ++i) {
    const Trial trial;
    const NetworkFault fault{Kind::flip, Way::to_node, chance() % 1900, 1};
    const test::FaultProxy proxy(pacs_->port(), fault);
    try {
      EXPECT_TRUE(load::run(options(trial, proxy.port())).closes()) << text_of(fault);
    } catch (const net::PeerError&) {  // it did not understand the request for the association
      continue;
    }
    verify::Options check;
    check.manifest = trial.folder / "load.wb";
    check.output = trial.folder / "verify.wb";
    check.against = net::parse_url(pacs_->url());
    check.level = verify::Level::content;
    const verify::Tally tally = verify::run(check);
    EXPECT_TRUE(tally.closes());
    wrong += tally.wrong;
    for (const auto& [uid, object] : test::objects_of(check.output)) {
      if (object.bucket != manifest::Bucket::verified) continue;
      const std::string sent = test::slurp(path_from_text(object.source.path));
      const std::string there = test::slurp(pacs_->object(uid));
      const auto dataset = [](const std::string& file) {
        std::uint32_t length = 0;
        std::memcpy(&length, file.data() + 140, 4);
        return file.substr(144 + length);
      };
      EXPECT_EQ(dataset(there), dataset(sent)) << uid << ", " << text_of(fault);
    }
  }
  EXPECT_GT(wrong, 3U) << "the bits were never noticed";
}

}  // namespace waybill
