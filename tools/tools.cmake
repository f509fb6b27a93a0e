# One program a tool; each is options in, one library call, exit code out.
waybill_tool(manifest USES manifest inventory scan audit)
waybill_tool(audit USES audit)
target_sources(waybill-manifest PRIVATE tools/manifest_derive.cpp tools/manifest_diff.cpp tools/manifest_merge.cpp)
waybill_tool(sync USES sync audit)
waybill_tool(scan USES scan audit)
waybill_tool(pack USES pack audit)
waybill_tool(unpack USES pack io audit)
waybill_tool(reconcile USES reconcile audit)
waybill_tool(listen USES listen audit)
waybill_tool(transcode USES transcode audit)
waybill_tool(load USES load audit)
waybill_tool(verify USES verify audit)
waybill_tool(report USES report audit)
waybill_tool(probe USES probe audit)
waybill_tool(assess USES assess dicom io audit)
waybill_tool(simpacs USES simpacs dicom io)

# The dispatcher: `waybill NAME` starts waybill-NAME beside it.
add_executable(waybill tools/waybill.cpp)
target_link_libraries(waybill PRIVATE waybill::core)

# Codecs in processes of their own, for waybill-transcode; no tool for people, so its name is not one of theirs.
add_executable(waybill_codec tools/waybill_codec.cpp)
target_link_libraries(waybill_codec PRIVATE waybill::transcode)
add_dependencies(waybill-transcode waybill_codec)
add_dependencies(waybill-load waybill_codec)

add_custom_target(tools)
add_dependencies(tools waybill waybill-manifest waybill-scan waybill-pack waybill-unpack waybill-audit waybill-listen waybill-reconcile waybill-transcode waybill-load waybill-verify waybill-report waybill-probe waybill-assess waybill-sync waybill-simpacs)

# Beside each other, since the dispatcher and the codecs are looked for there; the pages are read as they are.
include(GNUInstallDirs)
install(TARGETS waybill waybill_codec waybill-manifest waybill-scan waybill-pack waybill-unpack waybill-audit waybill-listen waybill-reconcile waybill-transcode waybill-load waybill-verify waybill-report waybill-probe waybill-assess waybill-sync waybill-simpacs)
install(DIRECTORY docs manifests DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES README.md CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
