@class:region
Feature: The primary region is lost

  Section 3 of the plan, "Region Failure": "The entire primary AWS region is down. Critical. Full system outage. This is
  the primary disaster scenario." Section 4 says how the company fails over to its recovery region; its runbook is run
  as its operators run it, by AWS's, Kubernetes' and DNS's own ways.

  @scenario:region_loses_power
  Scenario: The primary region loses power, and the recovery region takes over
    Given users are served by the system in its steady state
    When the primary region loses power
    And users are not served any more
    And the operators run the failover's runbook
    And users are served again
    And the primary region has its power back
    And users are served on beside what came back
    And recovery is measured
    Then the drill is valid
    And every service was back within its recovery time objective
    And no more was lost than the recovery point objective allows
    And every surviving row is one that a user wrote, and one region wrote at a time

  @scenario:region_loses_power_with_backlog
  Scenario: The primary region loses power while its link to the recovery region has a backlog
    Given users are served by the system in its steady state
    When the link between the regions delays
    And the primary region loses power
    And users are not served any more
    And the operators run the failover's runbook
    And users are served again
    And the primary region has its power back
    And users are served on beside what came back
    And the link between the regions is as usual after it delayed
    And recovery is measured
    Then the drill is valid
    And every service was back within its recovery time objective
    And no more was lost than the recovery point objective allows
    And every surviving row is one that a user wrote, and one region wrote at a time

  @scenario:region_control_plane_lost
  Scenario: The APIs of the primary region do nothing, its users are served, and nobody fails over
    Given users are served by the system in its steady state
    When the control planes of the primary region are lost
    And the operators run the failover's runbook
    And the control planes of the primary region are back
    And users are served on beside what came back
    And recovery is measured
    Then the drill is valid
    And nobody failed over, and users were served all along
    And every service was back within its recovery time objective
    And no more was lost than the recovery point objective allows
    And every surviving row is one that a user wrote, and one region wrote at a time

  @scenario:region_loses_power_at_peak
  Scenario: The primary region loses power at peak load
    Given users are served by the system in its steady state at peak load
    When the primary region loses power
    And users are not served any more
    And the operators run the failover's runbook
    And users are served again
    And recovery is measured
    Then the drill is valid
    And every service was back within its recovery time objective
    And no more was lost than the recovery point objective allows
    And every surviving row is one that a user wrote, and one region wrote at a time

  @scenario:region_and_route53_lost
  Scenario: The primary region loses power while Route 53's control plane is lost
    Given users are served by the system in its steady state
    When Route 53's control plane is lost
    And the primary region loses power
    And users are not served any more
    And the operators run the failover's runbook
    And users are served again
    And Route 53's control plane is back
    And the operators have names lead to what serves
    And the primary region has its power back
    And users are served on beside what came back
    And recovery is measured
    Then the drill is valid
    And every service was back within its recovery time objective
    And no more was lost than the recovery point objective allows
    And every surviving row is one that a user wrote, and one region wrote at a time

  @scenario:region_loses_power_operators_die
  Scenario: The primary region loses power, and the operators' machine dies in the middle of the failover
    Given users are served by the system in its steady state
    When the primary region loses power
    And users are not served any more
    And the operators' machine dies 3 times while they run the failover's runbook
    And users are served again
    And the primary region has its power back
    And users are served on beside what came back
    And recovery is measured
    Then the drill is valid
    And every service was back within its recovery time objective
    And no more was lost than the recovery point objective allows
    And every surviving row is one that a user wrote, and one region wrote at a time

  @scenario:region_isolated
  Scenario: The primary region lives on, and nobody outside hears it
    Given users are served by the system in its steady state
    When the primary region is isolated
    And users are not served any more
    And the operators run the failover's runbook
    And users are served again
    And the primary region is connected again
    And users are served on beside what came back
    And recovery is measured
    Then the drill is valid
    And every service was back within its recovery time objective
    And no more was lost than the recovery point objective allows
    And every surviving row is one that a user wrote, and one region wrote at a time

  @scenario:region_flaps
  Scenario: The primary region comes and goes
    Given users are served by the system in its steady state
    When the primary region comes and goes
    And users are not served any more
    And the operators run the failover's runbook
    And users are served again
    And the primary region is there for good
    And users are served on beside what came back
    And recovery is measured
    Then the drill is valid
    And every service was back within its recovery time objective
    And no more was lost than the recovery point objective allows
    And every surviving row is one that a user wrote, and one region wrote at a time

  @scenario:region_returns_in_the_middle
  Scenario: The primary region loses power, and is back while the recovery region takes over
    Given users are served by the system in its steady state
    When the primary region loses power
    And users are not served any more
    And the operators run the failover's runbook, and meanwhile the primary region has its power back
    And users are served again
    And users are served on beside what came back
    And recovery is measured
    Then the drill is valid
    And every service was back within its recovery time objective
    And no more was lost than the recovery point objective allows
    And every surviving row is one that a user wrote, and one region wrote at a time

  @scenario:region_lost_and_a_zone_of_the_other
  Scenario: The primary region loses power, and then a zone of the recovery region
    Given users are served by the system in its steady state
    When the primary region loses power
    And users are not served any more
    And the operators run the failover's runbook, and meanwhile a zone beside the databases loses power
    And users are served again
    And the zone of the recovery region has its power back
    And the primary region has its power back
    And users are served on beside what came back
    And recovery is measured
    Then the drill is valid
    And every service was back within its recovery time objective
    And no more was lost than the recovery point objective allows
    And every surviving row is one that a user wrote, and one region wrote at a time

  @scenario:region_and_its_copies_lost
  Scenario: The primary region loses power, and then the zone in which its databases' copies stand
    Given users are served by the system in its steady state
    When the primary region loses power
    And users are not served any more
    And the operators run the failover's runbook, and meanwhile the databases' zone loses power
    And users are served again
    And the zone of the recovery region has its power back
    And the primary region has its power back
    And users are served on beside what came back
    And recovery is measured
    Then the drill is valid
    And every service was back within its recovery time objective
    And no more was lost than the recovery point objective allows
    And every surviving row is one that a user wrote, and one region wrote at a time
