/** The functions' place in the database's VPC: a security group, and endpoints in place of a NAT. */
import { Stack, type StackProps } from 'aws-cdk-lib'
import {
  CfnSecurityGroupIngress,
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  type ISubnet,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
  Subnet,
  Vpc,
} from 'aws-cdk-lib/aws-ec2'
import type { Construct } from 'constructs'
import type { Environment } from './config/index.ts'
import type { VpcPlacement } from './functions/index.ts'

type Network = NonNullable<Environment['network']>

export class NetworkStack extends Stack implements VpcPlacement {
  readonly vpc: IVpc
  readonly subnets: readonly ISubnet[]
  readonly securityGroup: SecurityGroup

  constructor(scope: Construct, environment: Environment, network: Network, props: StackProps) {
    super(scope, 'network', props)
    this.vpc = Vpc.fromVpcAttributes(this, 'Vpc', {
      vpcId: network.vpcId,
      availabilityZones: network.availabilityZones,
      privateSubnetIds: network.subnetIds,
      privateSubnetRouteTableIds: network.routeTableIds,
    })
    this.subnets = network.subnetIds.map((subnetId, index) =>
      Subnet.fromSubnetAttributes(this, `Subnet${index}`, { subnetId, ...zoneOf(network, index) }),
    )
    this.securityGroup = this.#createGroup(environment, network)
    if (network.endpoints === 'create') this.#createEndpoints()
  }

  /** Nothing comes in; out goes to the database, and over TLS to endpoints (there is no other route in the subnets). */
  #createGroup(environment: Environment, network: Network): SecurityGroup {
    const group = new SecurityGroup(this, 'Functions', {
      vpc: this.vpc,
      description: `Backstop ${environment.name}: functions that use the database`,
      allowAllOutbound: false,
    })
    const database = SecurityGroup.fromSecurityGroupId(this, 'Database', network.databaseSecurityGroupId, {
      mutable: false,
    })
    const { port } = environment.database
    group.addEgressRule(database, Port.tcp(port), 'the database')
    group.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'endpoints of S3, DynamoDB, SQS and Secrets Manager')
    if (network.openDatabase) {
      new CfnSecurityGroupIngress(this, 'DatabaseIngress', {
        groupId: network.databaseSecurityGroupId,
        sourceSecurityGroupId: group.securityGroupId,
        ipProtocol: 'tcp',
        fromPort: port,
        toPort: port,
        description: `Backstop ${environment.name}`,
      })
    }
    return group
  }

  /**
   * Gateway endpoints cost nothing; each interface endpoint costs by the hour and zone, so there are two. Secrets are read
   * in here also without a database secret: gate.administer lists the tokens.
   */
  #createEndpoints(): void {
    this.vpc.addGatewayEndpoint('S3', { service: GatewayVpcEndpointAwsService.S3 })
    this.vpc.addGatewayEndpoint('DynamoDb', { service: GatewayVpcEndpointAwsService.DYNAMODB })
    this.#createInterface('Sqs', InterfaceVpcEndpointAwsService.SQS)
    this.#createInterface('SecretsManager', InterfaceVpcEndpointAwsService.SECRETS_MANAGER)
  }

  #createInterface(id: string, service: InterfaceVpcEndpointAwsService): void {
    const group = new SecurityGroup(this, `${id}Endpoint`, {
      vpc: this.vpc,
      description: `Backstop: who may use the endpoint of ${service.shortName}`,
      allowAllOutbound: false,
    })
    group.addIngressRule(this.securityGroup, Port.tcp(443), 'functions')
    this.vpc.addInterfaceEndpoint(id, {
      service,
      subnets: { subnets: [...this.subnets] },
      securityGroups: [group],
      open: false,
      privateDnsEnabled: true,
    })
  }
}

function zoneOf(network: Network, index: number): { availabilityZone?: string } {
  const availabilityZone = network.availabilityZones[index]
  return availabilityZone === undefined ? {} : { availabilityZone }
}
