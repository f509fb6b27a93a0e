// SPDX-License-Identifier: Apache-2.0
// waybill-probe at DICOMweb services: Orthanc's, and one that lies.
#include "support/lying_stow.hpp"
#include "support/probing.hpp"

namespace waybill {

namespace {

class ProbeWeb : public test::Probing {
 protected:
  static std::string url_of(const test::Orthanc& orthanc) {
    return "http://127.0.0.1:" + std::to_string(orthanc.http_port()) + "/dicom-web";
  }
};

}  // namespace

TEST_F(ProbeWeb, OrthancIsDescribedAndWithWriteStoredTo) {
  const test::Orthanc orthanc;
  EXPECT_EQ(probe(url_of(orthanc)).exit, 0);
  EXPECT_EQ(against_schema(), "");
  EXPECT_EQ(ask(".lists|[.service,.status,.listed,.honours_uid]"), "[\"QIDO-RS\",\"200\",0,true]");
  const test::Ran written = probe(url_of(orthanc), {"--write", "--objects", "4", "--associations", "2"});
  EXPECT_EQ(written.exit, 0) << written.text;
  EXPECT_EQ(policies(), "stored no-effect ignored ignored kept-both stored stored ignored no-effect");
  EXPECT_EQ(ask("[.throughput[]|[.associations,.objects]]"), "[[1,4],[2,4]]");
  EXPECT_EQ(against_schema(), "");
  EXPECT_EQ(ask(".forms[]|select(.service==\"WADO-RS\" and .asked==\"*\")|[.status,.came]"),
            "[200,\"1.2.840.10008.1.2.1\"]");
  EXPECT_EQ(probe(url_of(orthanc)).exit, 0);
  EXPECT_EQ(against_schema(), "");
  EXPECT_EQ(ask(".lists|[.honours_paging,.counts_right,.relational,.limit]"), "[true,true,true,null]");
  EXPECT_EQ(ask("[.forms[].service]|unique"), "[\"QIDO-RS\"]") << "no object of a patient is fetched";
}

TEST_F(ProbeWeb, NobodyThereNoServiceAndNoEntryAreExitFour) {
  EXPECT_EQ(probe("http://127.0.0.1:9/rs").exit, 4);
  const test::LyingStow locked(R"({"authorization": "Bearer x"})");
  EXPECT_EQ(probe(locked.url()).exit, 4);
  const test::LyingStow absent(R"({"qido": [{"status": 404}]})");
  EXPECT_EQ(probe(absent.url()).exit, 4);
}

TEST_F(ProbeWeb, AnswersWithoutEndAndBrokenOnesAreATrouble) {
  for (const std::string fate :
       {R"({"endless": true})", R"({"endless": "headers"})", R"({"end": "answer"})", R"({"silent": 30})"}) {
    const test::LyingStow service(R"({"qido": [{}, {}, {}, {}, {}, )" + fate + "]}");
    const test::Ran ran = probe(service.url(), {"--timeout", "1"});
    EXPECT_EQ(ran.exit, 1) << fate << ran.text;
    EXPECT_EQ(ask("[.troubles[].section]"), "[\"lists\"]") << fate;
  }
}

TEST_F(ProbeWeb, ProvesALimitOfListsAndSeesKeysThatNobodyLooksAt) {
  test::make_archive(folder_, 5, 2);
  test::LyingStow service(R"({"cap": 3})");
  const test::Ran loaded =
      test::run({test::tool("load"), at("scan.wb"), "--to", service.url(), "-o", at("load.wb")}, folder_ / "load.log");
  ASSERT_EQ(loaded.exit, 0) << loaded.text;
  const test::Ran ran = probe(service.url());
  EXPECT_EQ(ran.exit, 0) << ran.text;
  EXPECT_EQ(ask(".lists|[.listed,.limit,.honours_uid,.honours_paging,.counts_right]"), "[3,3,true,true,true]");
  EXPECT_EQ(ask(".lists.warning"), "299 test \"There are 2 additional results\"");
  EXPECT_NE(ask(".advice.notes[]").find("its lists end at 3"), std::string::npos);
  service.start(R"({"deaf": true})");
  EXPECT_EQ(probe(service.url()).exit, 0);
  EXPECT_EQ(ask(".lists|[.honours_uid,.honours_paging,.limit]"), "[false,false,null]");
  EXPECT_NE(ask(".advice.notes[]").find("what it lists proves nothing"), std::string::npos);
}

TEST_F(ProbeWeb, ForAManifestItSaysThatNothingIsKnownBeforeItIsSent) {
  const test::LyingStow service;
  test::make_archive(folder_, 1, 2);
  EXPECT_EQ(probe(service.url(), {"--for", at("scan.wb")}).exit, 0);
  EXPECT_EQ(ask(".manifest.needs[0]|[.objects,.granted]"), "[2,null]");
}

}  // namespace waybill
